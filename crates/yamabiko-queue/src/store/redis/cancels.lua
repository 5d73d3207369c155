-- Cancelling jobs, many at once.

local cancel_all do

-- Takes jobs that are neither running nor over out of their places; each knows whether it is scheduled.
local function take_out(jobs, lanes)
  local holders, n, timers, ready, waiting = hmget(HOLDER, lanes), 0, {}, {}, {}
  for _, job in ipairs(jobs) do
    local holds, lends = false, false
    if job.lane then
      n = n + 1
      holds = holders[n] and sub(holders[n], 1, 16) == job.id
      lends = not holds and has_lane(job.id, holders[n])
    end
    if job.is_scheduled then
      timers[#timers + 1] = job.id
    elseif holds or not job.lane then
      collect_one(ready, job.queue, job.id)
    else
      collect_one(waiting, job.lane, job.id .. job.queue)
    end
    remove(job.id, job.chat, job.remember)
    if holds or lends then leave(job.lane, job.id) end
    if not job.kind then leave(nil, job.id) end
  end
  many('ZREM', DUE, timers)
  unset(timers)
  for queue, ids in pairs(ready) do
    step_out(queue, ids)
    touched[queue] = true
  end
  for lane, entries in pairs(waiting) do
    many('ZREM', WAIT .. lane, entries)
    many('ZREM', PASS .. lane, entries)
    line_left(lane)
  end
end

-- Answers a letter for each id: g gone, m marked, o over already, u unknown.
-- A running job is only marked: its worker still works on it, so its lane stays taken until that worker hears of it (beat,
-- commit) or its lease ends; its commit changes nothing any more. A job whose record does not tell in which line it stands
-- ends when its turn comes, without a run; so that is all that is done about it.
function cancel_all(ids)
  settle()
  local records, claims = hmget(JOB, ids), hmget(CLAIM, ids)
  local due, dead, done = zmscore(DUE, ids), zmscore(DEAD, ids), zmscore(DONE, ids)
  local answers, is_gone, jobs, lanes, marked = {}, {}, {}, {}, {}
  for i, id in ipairs(ids) do
    local claim = claims[i]
    if not records[i] or is_gone[id] then
      answers[i] = 'u'
    elseif claim then
      answers[i] = 'm'
      if #claim == CLAIM_BYTES then
        claim = claim .. 'x'
        marked[#marked + 1], marked[#marked + 2] = id, claim
        if held[id] then held[id] = claim end
      end
    elseif dead[i] or done[i] then
      answers[i] = 'o'
    else
      local queue, lane, chat, _, _, kind, time = header(records[i])
      answers[i] = (kind or due[i]) and 'g' or 'm'
      if answers[i] == 'g' then
        is_gone[id] = true
        jobs[#jobs + 1] = {
          id = id, queue = queue, lane = lane, chat = chat, kind = kind, remember = time, is_scheduled = due[i],
        }
        if lane then lanes[#lanes + 1] = lane end
      end
    end
  end
  many('HSET', CLAIM, marked)
  take_out(jobs, lanes)
  return answers
end

end
