-- The claims of jobs.

local take_ready, open_exchange, note_exchange, standing, unset_first, end_cancelled, claim, hand_out do

local MOST_CLAIMED = 256
local claimed_bytes

-- Of the first ids of a line, those whose payloads one call may carry; the others go back. At least one job is claimed.
local function carried(queue, ids, is_first)
  if #ids == 0 or not is_there(BODY) then return ids end
  local taken = {}
  for i, id in ipairs(ids) do
    claimed_bytes = claimed_bytes + call('HSTRLEN', BODY, id)
    if claimed_bytes > MOST_BYTES and not (is_first and i == 1) then
      for n = #ids, i, -1 do push_first(queue, ids[n]) end
      break
    end
    taken[i] = id
  end
  return taken
end

-- Of ids that were taken out of a line, those that are to run: what was cancelled with its group, or has an origin that was
-- revoked, ends.
local function not_over(ids)
  if #ids == 0 then return ids end
  local are_revoked = is_there(REVOKED)
  if not are_revoked and not has_groups() then return ids end
  local records, origins, left, over = hmget(JOB, ids), {}, {}, {}
  for i, record in ipairs(records) do
    local _, _, _, origin = header(record)
    origins[i] = origin or ''
  end
  local revoked = are_revoked and zmscore(REVOKED, origins) or {}
  for i, record in ipairs(records) do
    local list = (revoked[i] or is_cancelled_group(ids[i], record)) and over or left
    list[#list + 1] = ids[i]
  end
  end_cancelled(over)
  settle()                               -- their lanes go on, perhaps to jobs of the queues that come next
  return left
end

-- Takes ready jobs. ARGV: number of wants, and for each: at most, number of queues, queues in the order to take from.
function take_ready()
  local ids = {}
  claimed_bytes = 0
  for _ = 1, number() do
    local wanted = number()
    local room, queues = math.min(wanted, MOST_CLAIMED - #ids), texts(number())
    if wanted > 0 and #queues > 0 then
      local paused = is_there(PAUSED) and zmscore(PAUSED, queues) or {}
      for i, queue in ipairs(queues) do
        if room > 0 and claimed_bytes <= MOST_BYTES and not (paused[i] and tonumber(paused[i]) > now) then
          local taken = take_first(queue, room)
          local got = carried(queue, not_over(taken), #ids == 0)
          if #taken > 0 or has_leavers() then touched[queue] = true end
          if #ids == 0 then ids = got else for n = 1, #got do ids[#ids + 1] = got[n] end end
          room = room - #got
        end
      end
      -- This worker may have taken the markers of all its queues. If it is full, the rest is for another, or for its next turn.
      if room == 0 or claimed_bytes > MOST_BYTES then
        for i, queue in ipairs(queues) do
          if not paused[i] then touched[queue] = true end
        end
      end
    end
  end
  return ids
end

-- Redis keeps a small hash or sorted set as a list, which it searches from its front. A name that is too long for a list
-- makes it a table, which it stays until it is empty; of a turn of 64 jobs, that saves a quarter.
local TOO_LONG = ('-'):rep(65)

local function write_claims(claims, leases)
  many('HSET', CLAIM, claims)
  many('ZADD', LEASE, leases)
  if claims[1] == TOO_LONG then
    call('HDEL', CLAIM, TOO_LONG)
    call('ZREM', LEASE, TOO_LONG)
  end
end

-- The last exchange of a worker's line: its number (5 bytes), until when the line is remembered (8), and the ids that it
-- claimed. See token.rs for what a token has.
local LINE_BYTES, NUMBER_BYTES, ID_BYTES = 11, 5, 16
local LINE_KEPT, LINE_RENEWED = 24 * 3600 * 1000000, 3600 * 1000000

local function number_of(packed)
  local high, low = pick('>I4B', packed)
  return high * 256 + low
end

-- Answers what is known of the exchange with this token: how its number stands to its line's last one (less than 0: it comes
-- too late; 0: it is that one; nil: it is new), and what standing() reads: the line's last one.
function open_exchange(token)
  local exchange = { token = token, line = sub(token, 1, LINE_BYTES), packed = sub(token, LINE_BYTES + 1) }
  local last = call('HGET', EXCHANGE, exchange.line)
  local number, until_time = read('>I4B', last), read('>i8', last, NUMBER_BYTES + 1)
  if not until_time then return exchange end
  number = number_of(last)
  exchange.until_time, exchange.order = until_time, number_of(exchange.packed) - number
  if exchange.order > 0 then exchange.order = nil end
  exchange.last = last
  return exchange
end

function note_exchange(exchange, ids)
  local until_time = exchange.until_time
  if not until_time or until_time < now + LINE_KEPT - LINE_RENEWED then
    until_time = now + LINE_KEPT
    call('ZADD', LINES, exact(until_time), exchange.line)
  end
  call('HSET', EXCHANGE, exchange.line, exchange.packed .. pack('>i8', until_time) .. concat(ids))
end

-- The ids that an exchange claimed and whose claims still stand, those of them that were cancelled meanwhile,
-- and when they were claimed.
function standing(exchange)
  local claimed, ids, cancelled, claimed_at = {}, {}, {}, nil
  for pos = NUMBER_BYTES + 9, #exchange.last, ID_BYTES do
    claimed[#claimed + 1] = sub(exchange.last, pos, pos + ID_BYTES - 1)
  end
  for i, claim in ipairs(hmget(CLAIM, claimed)) do
    if claim and sub(claim, 1, 16) == exchange.token then
      local is_cancelled = #claim > CLAIM_BYTES or has_groups() and is_cancelled_group(claimed[i], call('HGET', JOB, claimed[i]))
      local list = is_cancelled and cancelled or ids
      list[#list + 1] = claimed[i]
      claimed_at = read('>i8', claim, 17)
    end
  end
  return ids, cancelled, claimed_at
end

-- A claim of which its worker has not heard is no job's first.
function unset_first(ids, claimed_at)
  if not is_there(MORE) then return end
  for i, packed in ipairs(hmget(MORE, ids)) do
    local more = open_more(packed)
    if band(more.flags, 2) > 0 and more.first == claimed_at then
      clear_first(more)
      save_more(ids[i], more)
    end
  end
end

-- Ends jobs that were cancelled before their worker heard of them.
function end_cancelled(ids)
  for i, record in ipairs(hmget(JOB, ids)) do
    local lane, chat, time = lane_of(ids[i], record)
    unclaim(ids[i])
    remove(ids[i], chat, time)
    leave(lane, ids[i])
  end
end

-- Claims jobs from now on, or anew; `has_claims` if it is sure that there are others. A token is new for each exchange: if a process stalls and then claims again what it
-- lost, the first of its two runs must be fenced out like anyone else's.
function claim(token, ids, has_claims)
  if #ids == 0 then return end
  local claim, lease_end = token .. pack('>i8', now), exact(now + lease)
  local claims, leases = {}, {}
  if not has_claims then claims, leases = { TOO_LONG, '' }, { '0', TOO_LONG } end
  local before = #claims
  for i = 1, #ids do
    claims[before + 2 * i - 1], claims[before + 2 * i] = ids[i], claim
    leases[before + 2 * i - 1], leases[before + 2 * i] = lease_end, ids[i]
  end
  write_claims(claims, leases)
end

-- Answers of each job that is claimed: id, record, more, state of its lane.
function hand_out(ids)
  if #ids == 0 then return ids, {}, {}, {} end
  local records, states, lanes, places = hmget(JOB, ids), {}, {}, {}
  local has_bodies = is_there(BODY)
  for i = 1, #ids do
    if not records[i] then                 -- a place without a job: it shall be seen, and end
      records[i] = ''
      call('HSET', JOB, ids[i], '')
    end
    if has_bodies and has_body(records[i]) then records[i] = whole(ids[i], records[i]) end
    if may_have_lane(records[i]) then
      local _, lane = header(records[i])
      if lane then
        lanes[#lanes + 1] = lane
        places[#places + 1] = i
      end
    end
    states[i] = false
  end
  for i, state in ipairs(hmget(STATE, lanes)) do states[places[i]] = state end
  return ids, records, is_there(MORE) and hmget(MORE, ids) or {}, states
end

end
