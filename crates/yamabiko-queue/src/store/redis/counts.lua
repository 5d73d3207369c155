#!lua flags=no-writes
-- Counts what there is. ARGV: behind which queue, and behind how many paused queues, to go on ("" and 0 = from the beginning).
-- Answers: numbers of scheduled, running, dead, completed and of all jobs and of what was set aside, next due time ("" = none),
-- queues with ready jobs, how many, paused queues and until when, what the processes say of themselves,
-- 1 if these were all queues.
local MOST_QUEUES = 500
local after, paused_before = text(), number()
local counts = {}
for i, key in ipairs({ DUE, LEASE, DEAD, DONE }) do counts[i] = call('ZCARD', key) end
counts[5], counts[6] = call('HLEN', JOB), call('ZCARD', DAMAGED)
local due = call('ZRANGE', DUE, 0, 0, 'WITHSCORES')[2]
local queues = call('ZRANGEBYLEX', QUEUES, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, MOST_QUEUES)
local lengths = {}
for i, queue in ipairs(queues) do lengths[i] = length_of_line(queue) end
local paused, untils = {}, {}
local pauses = call('ZRANGE', PAUSED, paused_before, paused_before + MOST_QUEUES - 1, 'WITHSCORES')
for i = 1, #pauses, 2 do
  local time = tonumber(pauses[i + 1])
  paused[#paused + 1] = pauses[i]
  untils[#untils + 1] = time <= now and 'over' or time < math.huge and exact(time) or ''
end
local names = call('ZRANGEBYSCORE', BEAT, '(' .. stamp, '+inf', 'LIMIT', 0, 1000)
local is_all = #queues < MOST_QUEUES and #paused < MOST_QUEUES
return { counts, due and exact(tonumber(due)) or '', queues, lengths, paused, untils, hmget(PROCESS, names), is_all and 1 or 0 }
