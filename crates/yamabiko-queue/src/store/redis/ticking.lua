-- The tick, which is a step of its own and a part of every turn.

local MOST_DUE, MOST_ENDED, MOST_PRUNED = '256', '64', '256'

local lease, since, last, gap, spared, again, keep_dead, keep_completed, keep_most

-- ARGV: lease, since when this handle has been ticking without a gap, its last tick ("" = none),
--       the longest time between ticks that is no gap, for how long claims are spared after one, when to come again meanwhile,
--       for how long dead jobs are kept, for how long completed ones, and how many of these
local function read_ticking()
  lease, since, last = number(), number(), number()
  gap, spared, again = number(), number(), number()
  keep_dead, keep_completed, keep_most = number(), number(), number()
end

-- What a sorted set has first, up to this time, goes out of it.
local function take_until(key, time, most)
  local taken = call('ZRANGEBYSCORE', key, '-inf', exact(time), 'LIMIT', '0', most)
  if #taken > 0 then call('ZREMRANGEBYRANK', key, '0', exact(#taken - 1)) end
  return taken
end

local function promote(later)
  local due = take_until(DUE, now - later, MOST_DUE)
  for i, record in ipairs(hmget(JOB, due)) do
    local queue, lane = header(record)
    enter(due[i], queue, lane)
  end
  return #due
end

local function end_claims()
  local ended = call('ZRANGEBYSCORE', LEASE, '-inf', stamp, 'LIMIT', '0', MOST_ENDED)
  local claims, records, mores = hmget(CLAIM, ended), hmget(JOB, ended), hmget(MORE, ended)
  for i, id in ipairs(ended) do
    unclaim(id)
    if #(claims[i] or '') > CLAIM_BYTES then  -- cancelled while it ran
      local lane, chat, time = lane_of(id, records[i])
      remove(id, chat, time)
      leave(lane)
    end
  end
  for i = #ended, 1, -1 do                 -- from behind: each goes to the front of its queue, and keeps its lane
    local id = ended[i]
    if #(claims[i] or '') <= CLAIM_BYTES then
      local more = open_more(mores[i])
      more.lost, more.flags = more.lost + 1, bor(more.flags, 1)
      set_first(more, read('>i8', claims[i], 17) or now)
      note(id, more, 'the claim ended without a report')
      save_more(id, more)
      put_first(id, (header(records[i])))
    end
  end
  return #ended
end

local function forget_all(ids)
  for i, record in ipairs(hmget(JOB, ids)) do
    local _, _, chat = header(record)
    forget(ids[i], chat)
  end
end

local function prune_completed()
  local completed = call('ZCARD', DONE)
  if completed == 0 then return end
  local old = call('ZCOUNT', DONE, '-inf', exact(now - keep_completed))
  local most = math.min(math.max(old, completed - keep_most), MOST_PRUNED)
  if most <= 0 then return end
  forget_all(call('ZRANGE', DONE, '0', exact(most - 1)))
  call('ZREMRANGEBYRANK', DONE, '0', exact(most - 1))
end

local function prune()
  forget_all(take_until(DEAD, now - keep_dead, MOST_PRUNED))
  prune_completed()
  take_until(SEEN, now, MOST_PRUNED)
  many('HDEL', PROCESS, take_until(BEAT, now, MOST_PRUNED))
  many('HDEL', EXCHANGE, take_until(LINES, now, MOST_PRUNED))
end

local function end_pauses()
  for _, queue in ipairs(take_until(PAUSED, now, MOST_PRUNED)) do touched[queue] = true end
end

-- Answers how many jobs fell due, how many claims ended, and when to come again ("" = nothing in sight).
-- A handle that has just begun, or whose ticks failed or had a gap, ends no claims for a while: workers could not beat either,
-- so they beat first; else each outage would run everything twice.
local function tick(later)
  settle()
  local goes_on = last and last <= now + gap and now <= last + gap
  if not goes_on then since = now end
  local may_end = now >= since + spared
  local promoted, next_due = 0, first_time(DUE)
  if next_due <= now - later then promoted, next_due = promote(later), first_time(DUE) end
  local ended, next_end = 0, first_time(LEASE)
  if may_end and next_end <= now then
    ended = end_claims()
    settle()
    next_end = first_time(LEASE)
  end
  -- Ticks that come too rarely would look like a gap again.
  if not may_end and next_end < math.huge then next_end = math.min(since + spared, now + again) end
  prune()
  local next_resumed = first_time(PAUSED)
  if next_resumed <= now then
    end_pauses()
    next_resumed = first_time(PAUSED)
  end
  local next = math.min(next_due, next_end, next_resumed)
  return promoted, ended, next < math.huge and exact(next) or ''
end
