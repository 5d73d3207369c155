-- The tick, which is a step of its own and a part of every turn.

local lease, keep_completed

local read_ticking, tick do

local MOST_DUE, MOST_ENDED, MOST_PRUNED = '128', '64', '128'
local MOST_CORRECTED = 256
local TICKING = '>' .. ('i8'):rep(14)

local told                               -- what read_ticking() has read: one table, since a chunk has 200 local variables at most

-- ARGV: a text of numbers: lease, since when this handle has been ticking without a gap, its last tick (less than 0: none),
--       the longest time between ticks that is no gap, for how long claims are spared after one, when to come again meanwhile,
--       for how long dead jobs are kept, and how many, for how long completed ones, and how many of these,
--       how many jobs of cancelled groups are taken out at most, how many ids are remembered,
--       what the clock must show if it was not set (less than 0: it is in doubt), 1 if the time is to be noted
function read_ticking()
  local expected, notes_time
  told = {}
  lease, told.since, told.last, told.gap, told.spared, told.again, told.keep_dead, told.most_dead, keep_completed,
    told.keep_most, told.cancel_batch, told.most_seen, expected, notes_time = pick(TICKING, text())
  trust(expected)
  told.notes_time = notes_time == 1
end

-- What a sorted set has first, up to this time, goes out of it.
local function take_until(key, time, most)
  local taken = call('ZRANGEBYSCORE', key, '-inf', exact(time), 'LIMIT', '0', most)
  if #taken > 0 then call('ZREMRANGEBYRANK', key, '0', exact(#taken - 1)) end
  return taken
end

-- Ends a job that is not scheduled any more; it may hold its lane.
local function end_timer(id, record)
  settle()
  local lane, chat, time = lane_of(id, record)
  remove(id, chat, time)
  if lane and has_lane(id, call('HGET', HOLDER, lane)) then leave(lane, id) end
end

local function promote(later)
  local due = take_until(DUE, now - later, MOST_DUE)
  unset(due)
  local promoted = 0
  for i, record in ipairs(hmget(JOB, due)) do
    if is_cancelled_group(due[i], record, true) then
      end_timer(due[i], record)
    else
      local queue, lane = header(record)
      enter(due[i], queue, lane, record)
      promoted = promoted + 1
    end
  end
  return promoted
end

local function end_claims()
  local ended = call('ZRANGEBYSCORE', LEASE, '-inf', stamp, 'LIMIT', '0', MOST_ENDED)
  local claims, records, mores = hmget(CLAIM, ended), hmget(JOB, ended), hmget(MORE, ended)
  for i, id in ipairs(ended) do
    unclaim(id)
    if #(claims[i] or '') > CLAIM_BYTES then  -- cancelled while it ran
      local lane, chat, time = lane_of(id, records[i])
      remove(id, chat, time)
      leave(lane, id)
    end
  end
  -- From behind: each goes to the front of its queue, and keeps its lane. Of one that has neither a claim nor a record, these
  -- were lost with a key, and it was cancelled then.
  for i = #ended, 1, -1 do
    local id = ended[i]
    if #(claims[i] or '') <= CLAIM_BYTES and (claims[i] or records[i]) then
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

local prune_completed, prune, drop_dead do

local function forget_all(ids)
  for i, record in ipairs(hmget(JOB, ids)) do
    local _, _, chat = header(record)
    forget(ids[i], chat)
  end
end

-- Answers whether there are more.
function prune_completed()
  local completed = call('ZCARD', DONE)
  if completed == 0 then return false end
  local old = is_trusted and call('ZCOUNT', DONE, '-inf', exact(now - keep_completed)) or 0
  local over = math.max(old, completed - told.keep_most)
  local most = math.min(over, MOST_PRUNED)
  if most <= 0 then return false end
  forget_all(call('ZRANGE', DONE, '0', exact(most - 1)))
  call('ZREMRANGEBYRANK', DONE, '0', exact(most - 1))
  return over > most
end

-- The oldest of more dead jobs than may be kept. Answers how many.
function drop_dead()
  local surplus = math.min(call('ZCARD', DEAD) - told.most_dead, MOST_PRUNED)
  if surplus <= 0 then return 0 end
  forget_all(call('ZRANGE', DEAD, '0', exact(surplus - 1)))
  call('ZREMRANGEBYRANK', DEAD, '0', exact(surplus - 1))
  return surplus
end

-- By a clock in doubt, nothing is removed for its age. Answers whether there may be more.
function prune()
  many('HDEL', PROCESS, take_until(BEAT, now, MOST_PRUNED))
  if not is_trusted then return false end
  local dead = take_until(DEAD, now - told.keep_dead, MOST_PRUNED)
  forget_all(dead)
  take_until(REVOKED, now, MOST_PRUNED)
  many('HDEL', EXCHANGE, take_until(LINES, now, MOST_PRUNED))
  return #dead == tonumber(MOST_PRUNED)
end

end

local function end_pauses()
  local ended = take_until(PAUSED, now, MOST_PRUNED)
  for _, queue in ipairs(ended) do touched[queue] = true end
  many('ZREM', PAUSED_AT, ended)
end

local correct do

-- Of what a clock set that was ahead, the length counts from now (T3). Each answers whether that was all.
local function count_from_now(ends, set_at)
  local ahead = call('ZRANGEBYSCORE', set_at, '(' .. stamp, '+inf', 'WITHSCORES', 'LIMIT', '0', MOST_CORRECTED)
  local members = {}
  for i = 1, #ahead, 2 do members[#members + 1] = ahead[i] end
  for i, ended in ipairs(zmscore(ends, members)) do
    if ended then
      local time = now + tonumber(ended) - tonumber(ahead[2 * i])
      add(ends, exact(time), members[i])
      notice(time)
    end
    add(set_at, stamp, members[i])
  end
  return #members < MOST_CORRECTED
end

local function shorten(ends, longest)
  local time = exact(now + longest)
  local ahead = call('ZRANGEBYSCORE', ends, '(' .. time, '+inf', 'LIMIT', '0', MOST_CORRECTED)
  for _, member in ipairs(ahead) do add(ends, time, member) end
  return #ahead < MOST_CORRECTED
end

function correct()
  local is_all = count_from_now(DUE, SET_AT)
  is_all = count_from_now(PAUSED, PAUSED_AT) and is_all
  is_all = shorten(LEASE, lease) and is_all
  shorten(BEAT, lease)
  settle()
  return is_all
end

end

local search_lanes do

local LANES_A_TICK = '256'

-- Whether a job that is noted as the holder of a lane does not have it any more; it is one whose record did not tell its lane.
local function is_over(id, lane)
  local record = call('HGET', JOB, id)
  if not record then return true end
  local _, its_lane, _, _, _, kind = header(record)
  if kind and its_lane ~= lane then return true end
  local place = place_of(id, record)
  return place == 'dead' or place == 'completed'
end

-- Drops those for which two whole rounds have found no lane since they were noted: they had none. A single round would do
-- if a server that has started anew could go on with one.
local function drop_searched(round)
  local searched = call('ZRANGEBYSCORE', ORPHAN, '-inf', exact(round - 3), 'LIMIT', '0', MOST_PRUNED)
  for _, id in ipairs(searched) do
    if is_over(id) then call('ZREM', ORPHAN, id) else call('ZADD', ORPHAN, exact(round), id) end
  end
end

-- Looks at a part of the lanes for those whose holders are over and did not know their lane, and hands them on.
-- Answers whether it is in the middle of a round.
function search_lanes()
  if not is_there(ORPHAN) then return false end
  local search = call('HMGET', SEARCH, 'round', 'cursor')
  local cursor = tonumber(search[2]) and search[2] or '0'
  local round, found = tonumber(search[1]) or 1, call('HSCAN', HOLDER, cursor, 'COUNT', LANES_A_TICK)
  local lanes, holders = {}, {}
  cursor = found[1]
  for i = 1, #found[2], 2 do
    for _, id in ipairs({ sub(found[2][i + 1], 1, 16), sub(found[2][i + 1], 25) }) do
      if id ~= '' then lanes[#lanes + 1], holders[#holders + 1] = found[2][i], id end
    end
  end
  for i, noted in ipairs(zmscore(ORPHAN, holders)) do
    if noted and is_over(holders[i], lanes[i]) then
      leave(lanes[i], holders[i])
      call('ZREM', ORPHAN, holders[i])
    end
  end
  drop_searched(round)
  if not is_there(ORPHAN) then
    call('DEL', SEARCH)
    return false
  end
  call('HSET', SEARCH, 'round', exact(cursor == '0' and round + 1 or round), 'cursor', cursor)
  return cursor ~= '0'
end

end

-- Answers how many jobs fell due, how many claims ended, when to come again ("" = nothing in sight), how many dead jobs were
-- removed and how many ids forgotten before their time, which only ticks of their own do, and whether there are claims.
-- A handle that has just begun, or whose ticks failed or had a gap, ends no claims for a while: workers could not beat either,
-- so they beat first; else each outage would run everything twice.
function tick(later)
  settle()
  local last = told.last
  local goes_on = last >= 0 and last <= now + told.gap and now <= last + told.gap
  if not goes_on then told.since = now end
  local may_end = now >= told.since + told.spared
  -- A turn looks only behind a gap, where the clock may have been set: a tick of its own comes at least every second where
  -- timers are served.
  local is_correct = later > 0 and now > told.since or correct()
  local sweeps = sweep_groups(told.cancel_batch)
  local promoted, next_due = 0, first_time(DUE)
  if next_due <= now - later then promoted, next_due = promote(later), first_time(DUE) end
  local ended, next_end = 0, first_time(LEASE)
  if may_end and next_end <= now then
    ended = end_claims()
    settle()
    next_end = first_time(LEASE)
  end
  local has_claims = next_end < math.huge
  -- Ticks that come too rarely would look like a gap again.
  if not may_end and has_claims then next_end = math.min(told.since + told.spared, now + told.again) end
  local has_more = (keep_completed > 0 or later == 0) and prune_completed()
  if told.notes_time then call('SET', LATEST, stamp) end
  local dropped, forgotten = 0, 0
  if later == 0 then                     -- ticks of their own come once a second, turns a thousand times
    has_more = prune() or has_more
    dropped, forgotten = drop_dead(), forget_remembered(told.most_seen)
    has_more = has_more or dropped == tonumber(MOST_PRUNED)
  end
  sweep_lines()
  local is_unfinished = search_lanes() or sweeps or has_more
  is_unfinished = scrub_on() or is_unfinished
  local next_resumed = math.huge
  if is_there(PAUSED) then
    if first_time(PAUSED) <= now then end_pauses() end
    next_resumed = first_time(PAUSED)
  end
  local is_over = not is_unfinished and is_correct
  local next = math.min(is_over and math.huge or now, next_due, next_end, next_resumed)
  return promoted, ended, next < math.huge and exact(next) or '', dropped, forgotten, has_claims
end

end
