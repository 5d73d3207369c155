-- The claims of jobs.

-- Takes ready jobs. ARGV: number of wants, and for each: at most, number of queues, queues in the order to take from.
local function take_ready()
  local ids = {}
  for _ = 1, number() do
    local room = number()
    local queues = texts(number())
    if room > 0 and #queues > 0 then
      local paused = zmscore(PAUSED, queues)
      for i, queue in ipairs(queues) do
        if room > 0 and not (paused[i] and tonumber(paused[i]) > now) then
          local got = call('LPOP', READY .. queue, room)
          if got then
            touched[queue] = true
            for n = 1, #got do
              if #got[n] == 16 then ids[#ids + 1] = got[n] end
            end
            room = room - #got
          end
        end
      end
      -- This worker may have taken the markers of all its queues. If it is full, the rest is for another.
      if room == 0 then
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
  call('HDEL', CLAIM, TOO_LONG)
  call('ZREM', LEASE, TOO_LONG)
end

-- Claims jobs, and answers the token, and of each job: id, record, more, state of its lane.
-- A token is new for each turn: if a process stalls and then claims again what it lost, the first of its two runs
-- must be fenced out like anyone else's.
local function claim(ids)
  if #ids == 0 then return '0', ids, {}, {}, {} end
  local token = call('INCR', TOKEN)
  local claim, lease_end = pack('>I8i8', token, now), exact(now + lease)
  local records, states, lanes, places = hmget(JOB, ids), {}, {}, {}
  local claims, leases = { TOO_LONG, '' }, { '0', TOO_LONG }
  for i = 1, #ids do
    local id = ids[i]
    if not records[i] then                 -- a place without a job: it shall be seen, and end
      records[i] = ''
      call('HSET', JOB, id, '')
    end
    if may_have_lane(records[i]) then
      local _, lane = header(records[i])
      if lane then
        lanes[#lanes + 1] = lane
        places[#places + 1] = i
      end
    end
    states[i] = false
    claims[2 * i + 1], claims[2 * i + 2] = id, claim
    leases[2 * i + 1], leases[2 * i + 2] = lease_end, id
  end
  for i, state in ipairs(hmget(STATE, lanes)) do states[places[i]] = state end
  write_claims(claims, leases)
  return exact(token), ids, records, call('EXISTS', MORE) == 1 and hmget(MORE, ids) or {}, states
end
