#!lua flags=allow-oom
-- Brings the keys to the schema that the steps know.
local found = tonumber(call('GET', SCHEMA))
if not found or found >= tonumber(VERSION) then return end

-- From 1 to 2: workers choose tokens, which have 16 bytes instead of 8.
-- The worker of a claim that version 1 has left is gone; the claim's lease ends.
if found < 2 then
  local claims, longer = call('HGETALL', CLAIM), {}
  for i = 1, #claims, 2 do longer[i], longer[i + 1] = claims[i], ('\0'):rep(8) .. claims[i + 1] end
  many('HSET', CLAIM, longer)
  call('DEL', prefix .. 'token')
end

-- From 2 to 3: what lasts a length of time has the time at which it was set. What version 2 has left goes by the moment alone.

call('SET', SCHEMA, VERSION)
