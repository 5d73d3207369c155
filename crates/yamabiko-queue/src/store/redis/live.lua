#!lua flags=no-writes
-- Shows the live jobs of a chat. ARGV: chat, how many at most. Answers the columns of rows.lua.
begin_rows()
local chat, most = text(), number()
for _, id in ipairs(call('ZRANGEBYSCORE', CHAT .. chat, 0, 0, 'LIMIT', 0, most)) do look(id) end
return rows
