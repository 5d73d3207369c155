-- The tick, which is a step of its own and a part of every turn; behind moves.lua.
-- ARGV: lease, since when this handle has been ticking without a gap, its last tick ("" = none),
--       for how long dead jobs are kept, for how long completed ones, and how many of these

local MOST_DUE, MOST_ENDED, MOST_PRUNED = 256, 64, 256

local lease, since, last = number(), number(), number()
local keep_dead, keep_completed, keep_most = number(), number(), number()

local function until_time(key, time, most)
  return call('ZRANGEBYSCORE', key, '-inf', time, 'LIMIT', 0, most)
end

local function promote(later)
  local due = until_time(DUE, now - later, MOST_DUE)
  if #due > 0 then
    call('ZREM', DUE, unpack(due))
    local records = hmget(JOB, due)
    for i, id in ipairs(due) do
      local queue, lane = header(records[i])
      enter(id, queue, lane)
    end
  end
  return #due
end

local function end_claims()
  local ended = until_time(LEASE, now, MOST_ENDED)
  if #ended == 0 then return 0 end
  local claims, records, mores = hmget(CLAIM, ended), hmget(JOB, ended), hmget(MORE, ended)
  for i, id in ipairs(ended) do
    unclaim(id)
    if #(claims[i] or '') > CLAIM_BYTES then  -- cancelled while it ran
      remove(id, records[i])
      leave(lane_of(id, records[i]))
    end
  end
  for i = #ended, 1, -1 do                 -- from behind: each goes to the front of its queue, and keeps its lane
    local id = ended[i]
    if #(claims[i] or '') <= CLAIM_BYTES then
      local more = open_more(mores[i])
      more.lost, more.flags = more.lost + 1, bor(more.flags, 1)
      set_first(more, read('>i8', claims[i], 9) or now)
      note(id, more, 'the claim ended without a report')
      save_more(id, more)
      put_first(id, (header(records[i])))
    end
  end
  return #ended
end

local function prune_jobs(key, ids)
  if #ids == 0 then return end
  call('ZREM', key, unpack(ids))
  for i, record in ipairs(hmget(JOB, ids)) do forget(ids[i], record) end
end

local function prune()
  prune_jobs(DEAD, until_time(DEAD, now - keep_dead, MOST_PRUNED))
  local completed = call('ZCARD', DONE)
  if completed > 0 then
    local old = call('ZCOUNT', DONE, '-inf', now - keep_completed)
    local most = math.min(math.max(old, completed - keep_most), MOST_PRUNED)
    if most > 0 then prune_jobs(DONE, call('ZRANGE', DONE, 0, most - 1)) end
  end
  local seen = until_time(SEEN, now, MOST_PRUNED)
  if #seen > 0 then call('ZREM', SEEN, unpack(seen)) end
  local silent = until_time(BEAT, now, MOST_PRUNED)
  if #silent > 0 then
    call('ZREM', BEAT, unpack(silent))
    call('HDEL', PROCESS, unpack(silent))
  end
  local resumed = until_time(PAUSED, now, MOST_PRUNED)
  if #resumed > 0 then
    call('ZREM', PAUSED, unpack(resumed))
    for _, queue in ipairs(resumed) do touched[queue] = true end
  end
end

-- Answers how many jobs fell due, how many claims ended, and when to come again ("" = nothing in sight).
-- A handle that was without ticks for more than a lease, or has just begun, ends no claims for a lease: nobody could beat
-- meanwhile, so workers beat first; else each outage would run everything twice.
local function tick(later)
  local goes_on = last and last <= now + lease and now <= last + lease
  if not goes_on then since = now end
  local may_end = now >= since + lease
  local promoted = promote(later)
  local ended = may_end and end_claims() or 0
  settle()
  prune()
  local lease_end = first_time(LEASE)
  if not may_end then lease_end = math.max(lease_end, since + lease) end
  local next = math.min(first_time(DUE), lease_end, first_time(PAUSED))
  return promoted, ended, next < math.huge and exact(next) or ''
end
