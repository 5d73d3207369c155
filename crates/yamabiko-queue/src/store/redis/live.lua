#!lua flags=no-writes
-- Names the live jobs of a chat. ARGV: chat, how many at most. Answers their ids in one text, since a list of 10,000 takes long.
local chat = text()
local ids = call('ZRANGE', CHAT .. chat, '-inf', '0', 'BYSCORE', 'LIMIT', '0', text())
if all_are_ids(ids) then return concat(ids) end
local whole_ids = {}
for _, id in ipairs(ids) do
  if #id == 16 then whole_ids[#whole_ids + 1] = id end
end
return concat(whole_ids)
