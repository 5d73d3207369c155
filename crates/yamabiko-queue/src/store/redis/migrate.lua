#!lua flags=allow-oom
-- Leads from schema version 1 to 2: workers choose tokens, which have 16 bytes instead of 8.
-- The worker of a claim that version 1 has left is gone; the claim's lease ends.
if call('GET', SCHEMA) ~= '1' then return end
local claims, longer = call('HGETALL', CLAIM), {}
for i = 1, #claims, 2 do longer[i], longer[i + 1] = claims[i], ('\0'):rep(8) .. claims[i + 1] end
many('HSET', CLAIM, longer)
call('DEL', prefix .. 'token')
call('SET', SCHEMA, '2')
