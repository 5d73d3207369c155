#!lua flags=allow-oom
-- Brings the keys of an older version to this layout, a bounded part in each call. Answers 1 if nothing is left to do, else 0.
-- Several processes may call it at the same time: each call continues where the last one ended.
local MIGRATION = prefix .. 'migration'
local PART = 500

-- A key whose layout has changed has another name since. At the old name of one that each step reads before it writes,
-- a text stays behind: a process of version 1, which does not look at the schema's version, fails there and changes nothing.
local function rename(old, new)
  if call('EXISTS', prefix .. old) == 1 then call('RENAME', prefix .. old, new) end
  call('SET', prefix .. old, 'moved by schema version 3')
end

-- Before version 3, there was a list for each lane in which jobs wait.
local function move_lanes(cursor)
  local lanes, left = call('ZRANGEBYLEX', LANES, cursor and '[' .. cursor or '-', '+', 'LIMIT', '0', exact(PART)), PART
  for _, lane in ipairs(lanes) do
    local entries, scored = call('LPOP', prefix .. 'wait:' .. lane, exact(left)) or {}, {}
    local place = #entries > 0 and call('INCRBY', PLACE, exact(#entries)) - #entries
    for i, entry in ipairs(entries) do
      scored[2 * i - 1], scored[2 * i] = exact(place + i), entry
    end
    many('ZADD', WAIT .. lane, scored)
    left = left - #entries
    if left <= 0 then return lane end
    cursor = lane
  end
  return #lanes == PART and cursor
end

-- Version 1 gave the tokens, which had 8 bytes instead of 16. The worker of such a claim is gone; the claim's lease ends.
local function lengthen_claims()
  local old = prefix .. 'claims 1'
  local found, claims, moved = call('HSCAN', old, '0', 'COUNT', exact(PART))[2], {}, {}
  for i = 1, #found, 2 do
    claims[i], claims[i + 1] = found[i], ('\0'):rep(8) .. found[i + 1]
    moved[#moved + 1] = found[i]
  end
  many('HSET', CLAIM, claims)
  many('HDEL', old, moved)
  return call('EXISTS', old) == 1 and ''
end

-- Before version 3, ids were remembered in one sorted set by time; for which span is not known any more.
local function move_remembered()
  local old, quarter = prefix .. 'seen', 900000000
  local part, names = call('ZPOPMIN', old, exact(PART)), {}
  for i = 1, #part, 2 do
    local name = ':' .. exact(math.ceil(tonumber(part[i + 1]) / quarter) * quarter)
    collect_one(names, name, sub(part[i], 5, 16))
  end
  for name, ids in pairs(names) do
    many('SADD', SEEN_IN .. name, ids)
    call('ZADD', SEEN, sub(name, 2), name)
  end
  return call('EXISTS', old) == 1 and ''
end

-- The parts of the way, in their order. Each is called until it answers that it is done (false), else where it goes on.
local parts = { lengthen_claims, move_lanes, move_remembered }

local found = tonumber(call('GET', SCHEMA) or VERSION)
if found < tonumber(VERSION) then
  rename('due', DUE)
  rename('claim', found == 1 and prefix .. 'claims 1' or CLAIM)
  call('DEL', prefix .. 'token')
  call('SET', SCHEMA, VERSION)
  call('SET', MIGRATION, '1:')
end
local reached = call('GET', MIGRATION)
if not reached then return 1 end
local colon = find(reached, ':', 1, true)
local part, cursor = tonumber(sub(reached, 1, colon - 1)), sub(reached, colon + 1)
local next = parts[part](cursor ~= '' and cursor)
if not next then part = part + 1 end
if parts[part] then call('SET', MIGRATION, exact(part) .. ':' .. (next or '')) else call('DEL', MIGRATION) end
return parts[part] and 0 or 1
