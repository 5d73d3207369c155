#!lua flags=no-writes
-- Names the live jobs of a chat. ARGV: chat, how many at most. Answers their ids.
local chat = text()
return call('ZRANGE', CHAT .. chat, '-inf', '0', 'BYSCORE', 'LIMIT', '0', text())
