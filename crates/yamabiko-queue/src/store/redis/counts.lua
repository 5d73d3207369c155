#!lua flags=no-writes
-- Counts what there is. Answers: numbers of scheduled, running, dead, completed and of all jobs, next due time ("" = none),
-- queues with ready jobs, how many, paused queues and until when, what the processes say of themselves.
local counts = {}
for i, key in ipairs({ DUE, LEASE, DEAD, DONE }) do counts[i] = call('ZCARD', key) end
counts[5] = call('HLEN', JOB)
local due = call('ZRANGE', DUE, 0, 0, 'WITHSCORES')[2]
local queues = call('ZRANGE', QUEUES, 0, -1)
local lengths = {}
for i, queue in ipairs(queues) do lengths[i] = length_of_line(queue) end
local paused, untils = {}, {}
local pauses = call('ZRANGE', PAUSED, 0, -1, 'WITHSCORES')
for i = 1, #pauses, 2 do
  local time = tonumber(pauses[i + 1])
  if time > now then
    paused[#paused + 1] = pauses[i]
    untils[#untils + 1] = time < math.huge and exact(time) or ''
  end
end
local names = call('ZRANGEBYSCORE', BEAT, '(' .. stamp, '+inf', 'LIMIT', 0, 1000)
return { counts, due and exact(tonumber(due)) or '', queues, lengths, paused, untils, hmget(PROCESS, names) }
