#!lua flags=no-writes
-- Names live jobs of a chat. ARGV: chat, how many at most, ids that the call before this one has named: it goes on behind the
-- last of them that is still there. Answers "1" if there may be more, else "0", and behind it their ids: one text, since a list
-- of thousands takes long.
local key, most, start = CHAT .. text(), number(), 0
for n = #args, at + 1, -1 do
  local rank = call('ZRANK', key, args[n])
  if rank then
    start = rank + 1
    break
  end
end
local ids = call('ZRANGE', key, '-inf', '0', 'BYSCORE', 'LIMIT', exact(start), exact(most))
local has_more = #ids == most and '1' or '0'
if all_are_ids(ids) then return has_more .. concat(ids) end
local whole_ids = {}
for _, id in ipairs(ids) do
  if #id == 16 then whole_ids[#whole_ids + 1] = id end
end
return has_more .. concat(whole_ids)
