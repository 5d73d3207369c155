-- Replaces the payloads of what is kept of a chat's jobs: of so many in each step, the rest in ticks.

local scrub, scrub_on do

-- Looks through a chat's jobs that are kept for those of an origin, from the last that ended to the first, beginning behind
-- one (its id, and when it ended), or with those that ended at a time. Answers the one that it came to, nil if there is no more.
local function scrub_part(chat, origin, id, time)
  local key = CHAT .. chat
  local score = id ~= '' and call('ZSCORE', key, id)
  local is_there = score and exact(tonumber(score)) == time
  local start = is_there and call('ZREVRANK', key, id) + 1 or call('ZCOUNT', key, '(' .. time, '+inf')
  local part = may_scrub > 0 and call('ZREVRANGE', key, start, start + may_scrub - 1, 'WITHSCORES') or {}
  local ids, is_all = {}, #part < 2 * may_scrub
  for i = 1, #part, 2 do
    if tonumber(part[i + 1]) <= 0 then    -- the first of those that live
      is_all = true
      break
    end
    ids[#ids + 1], id, time = part[i], part[i], exact(tonumber(part[i + 1]))
  end
  for i, record in ipairs(hmget(JOB, ids)) do
    local _, _, _, its_origin = header(record)
    if its_origin == origin then set(JOB, ids[i], set_payload(ids[i], record, 'null')) end
  end
  may_scrub = may_scrub - #ids
  if not is_all then return id, time end
end

function scrub(chat, origin)
  if not chat then return end
  settle()
  local newest = call('ZREVRANGE', CHAT .. chat, '0', '0', 'WITHSCORES')[2] or '0'
  if tonumber(newest) <= 0 then return end
  local id, time = scrub_part(chat, origin, '', exact(tonumber(newest)))
  if id then call('RPUSH', SCRUB, pack('BBB', #chat, #origin, #id) .. chat .. origin .. id .. time) end
end

-- Goes on with what one step left. Answers whether there is more to do.
function scrub_on()
  if not is_there(SCRUB) then return false end
  local left = call('LINDEX', SCRUB, '0')
  if not left then return false end        -- it was set aside
  local chat, origin, id = byte(left, 1, 3)
  if id then origin, id = 3 + chat + origin, 3 + chat + origin + id end
  if not id or not tonumber(sub(left, id + 1)) then
    call('LPOP', SCRUB)                  -- not what a step has left
    return true
  end
  local next_id, time = scrub_part(sub(left, 4, 3 + chat), sub(left, 4 + chat, origin), sub(left, origin + 1, id), sub(left, id + 1))
  if next_id then
    call('LSET', SCRUB, '0', char(byte(left, 1), byte(left, 2), #next_id) .. sub(left, 4, origin) .. next_id .. time)
  else
    call('LPOP', SCRUB)
  end
  return is_there(SCRUB)
end

end
