-- Groups of a chat's jobs that are being cancelled, each of which may have more jobs than one step can take out.
--
-- A group is noted in the commit that cancels it. From then on it holds for each live job that was stored before: none is
-- promoted, claimed or shown as live, and none that is running can commit. Ticks take them out, see sweeping.lua.
-- A live job's score in its chat tells which groups were noted after it was stored: those with a larger number than the one
-- that the score has negated.

local begin_groups, has_groups, groups_of, write_groups, cancel_group, live_score, is_in_group, is_cancelled_group do

local NONE = {}
local noted                              -- chat -> its groups, as far as they were looked up

function begin_groups() noted = {} end

function has_groups() return is_there(GROUPS) end

-- A group: its number and the last time of an origin that it concerns (8 bytes each; -1: any), what it goes by ("k" kind, "o" origin,
-- "b" all but a kind), and the name of that behind a byte with its length.
local function unpack_groups(packed)
  local groups, pos = {}, 1
  while packed and pos <= #packed do
    local group = {}
    group.number, group.by, group.what, group.name, pos = pick('>i8i8c1Bc0', packed, pos)
    groups[#groups + 1] = group
  end
  return groups
end

-- The groups of a chat, the oldest first.
function groups_of(chat)
  if not chat or not has_groups() then return NONE end
  if not noted[chat] then noted[chat] = unpack_groups(call('HGET', GROUPS, chat)) end
  return noted[chat]
end

function write_groups(chat, groups)
  noted[chat] = groups
  if #groups == 0 then
    call('HDEL', GROUPS, chat)
    call('ZREM', SWEPT, chat)
    return
  end
  local packed = {}
  for i, group in ipairs(groups) do
    packed[i] = pack('>i8i8', group.number, group.by) .. group.what .. char(#group.name) .. group.name
  end
  call('HSET', GROUPS, chat, concat(packed))
  call('ZADD', SWEPT, exact(groups[1].number), chat)
end

-- Notes a group of a run's chat; one that concerns no job that this one does not is done with.
function cancel_group(run, what, name, by)
  if not run.chat then return end
  local groups = {}
  for _, group in ipairs(groups_of(run.chat)) do
    local is_in_it = group.what == what and group.name == name and (by < 0 or group.by >= 0 and group.by <= by)
    if not is_in_it then groups[#groups + 1] = group end
  end
  local number = call('INCR', PLACE)
  groups[#groups + 1] = { number = number, by = by, what = what, name = name }
  write_groups(run.chat, groups)
  call('ZADD', CHAT .. run.chat, 'XX', exact(-number), run.id)
end

-- The score of a job of this chat that begins to live now.
function live_score(chat)
  local groups = groups_of(chat)
  return #groups > 0 and exact(-groups[#groups].number) or '0'
end

function is_in_group(group, record, origin, kind, is_scheduled)
  if group.by >= 0 and origin_time(record) > group.by then return false end
  if group.what == 'k' then return kind == group.name end
  if group.what == 'o' then return origin == group.name end
  return kind ~= group.name or is_scheduled
end

-- Whether a live job is in a group that was noted after it was stored.
function is_cancelled_group(id, record, is_scheduled)
  if not record or not has_groups() then return false end
  local _, _, chat, origin, _, kind = header(record)
  local groups = kind and groups_of(chat) or NONE
  if #groups == 0 then return false end
  local score = tonumber(call('ZSCORE', CHAT .. chat, id) or 0)
  for _, group in ipairs(groups) do
    if score > -group.number and is_in_group(group, record, origin, kind, is_scheduled) then return true end
  end
  return false
end

end
