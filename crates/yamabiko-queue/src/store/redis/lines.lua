-- The lines of ready jobs: a list for each queue, of which only the head is taken.
--
-- A job that leaves from within is not taken out of the list, for that would walk it. It is noted in LEFT, and its entry is
-- dropped when it comes to the head; so a line is as long as its lists less what is noted. An id that comes back to a list
-- in which its old entry still stands is called by another name there.
-- Where most of a list has left, ticks move the rest of it to FRONT, part by part; FRONT goes before READY.

local has_leavers, all_are_ids, length_of_line, push_last, push_first, take_first, step_out, part_of_line, sweep_lines do

local PART, MOST_DROPPED = 256, 1000

-- Whether any queue has a FRONT or a LEFT.
function has_leavers() return is_there(LEAVERS) end

function length_of_line(queue)
  local length = call('LLEN', READY .. queue)
  if not has_leavers() then return length end
  return math.max(0, length + call('LLEN', FRONT .. queue) - call('SCARD', LEFT .. queue))
end

-- What ids are called in a queue's list.
local function entries_for(queue, ids)
  if not has_leavers() then return ids end
  local entries, taken = {}, ask('SMISMEMBER', LEFT .. queue, ids)
  for i, id in ipairs(ids) do
    entries[i] = id
    if taken[i] == 1 then
      entries[i] = id .. exact(call('INCR', PLACE))
      call('HSET', ENTRY, id, entries[i])
    end
  end
  return entries
end

function push_last(queue, ids) many('RPUSH', READY .. queue, entries_for(queue, ids)) end

function push_first(queue, id)
  local has_front = has_leavers() and call('EXISTS', FRONT .. queue) == 1
  call('LPUSH', (has_front and FRONT or READY) .. queue, entries_for(queue, { id })[1])
end

-- Takes at most `room` entries from the head of a list into `taken`, and drops those that have left, out of `most` in all.
-- Answers how many it took and dropped.
local function take_head(queue, list, room, most, taken)
  local seen, part, i = 0, nil, 0
  repeat
    part, i = call('LRANGE', list, '0', exact(math.min(PART, most - seen) - 1)), 0
    if #part == 0 then break end
    local left, dropped = call('SMISMEMBER', LEFT .. queue, unpack(part)), {}
    while i < #part and (left[i + 1] == 1 or room > 0) do
      i = i + 1
      if left[i] == 1 then
        dropped[#dropped + 1] = part[i]
      else
        taken[#taken + 1] = part[i]
        room = room - 1
      end
    end
    if i > 0 then call('LTRIM', list, exact(i), '-1') end
    many('SREM', LEFT .. queue, dropped)
    seen = seen + i
  until i < #part or seen == most
  return seen
end

function all_are_ids(entries)
  for i = 1, #entries do
    if #entries[i] ~= 16 then return false end
  end
  return true
end

-- Takes at most `room` ids from the head of a line; fewer than it has where many have left before them.
function take_first(queue, room)
  local entries, ids, renamed = {}, {}, {}
  if not has_leavers() then
    entries = call('LPOP', READY .. queue, room) or entries
  else
    local seen = take_head(queue, FRONT .. queue, room, MOST_DROPPED, entries)
    if seen < MOST_DROPPED and #entries < room then
      take_head(queue, READY .. queue, room - #entries, MOST_DROPPED - seen, entries)
    end
  end
  if all_are_ids(entries) then return entries end
  for _, entry in ipairs(entries) do
    if #entry >= 16 then ids[#ids + 1] = sub(entry, 1, 16) end
    if #entry > 16 then renamed[#renamed + 1] = ids[#ids] end
  end
  many('HDEL', ENTRY, renamed)
  return ids
end

-- Takes jobs out of a line, wherever they stand.
function step_out(queue, ids)
  local entries, renamed = hmget(ENTRY, ids), {}
  for i, id in ipairs(ids) do
    if entries[i] then renamed[#renamed + 1] = id else entries[i] = id end
  end
  many('HDEL', ENTRY, renamed)
  many('SADD', LEFT .. queue, entries)
  call('ZADD', LEAVERS, '0', queue)
end

-- Answers a part of a line's entries, and of each whether it has left.
function part_of_line(queue, start, count)
  local front, part = has_leavers() and call('LLEN', FRONT .. queue) or 0, {}
  if start < front then part = call('LRANGE', FRONT .. queue, exact(start), exact(start + count - 1)) end
  if #part < count then
    local first = math.max(0, start - front)
    local rest = call('LRANGE', READY .. queue, exact(first), exact(first + count - #part - 1))
    for _, entry in ipairs(rest) do part[#part + 1] = entry end
  end
  return part, has_leavers() and ask('SMISMEMBER', LEFT .. queue, part) or {}
end

-- Drops what has left one queue's line, a part in each tick; each second it is another queue's turn.
function sweep_lines()
  if not has_leavers() then return end
  local count = call('ZCARD', LEAVERS)
  if count == 0 then return end          -- it was set aside
  local rank = exact(math.floor(now / 1000000) % count)
  local queue = call('ZRANGE', LEAVERS, rank, rank)[1]
  local ready, front, left = READY .. queue, FRONT .. queue, LEFT .. queue
  local before, behind = call('LLEN', front), call('LLEN', ready)
  if behind > 0 and call('SCARD', left) * 2 > before + behind then
    local standing = {}
    behind = behind - take_head(queue, ready, PART, PART, standing)
    many('RPUSH', front, standing)
    before = before + #standing
  else
    take_head(queue, before > 0 and front or ready, 0, PART, {})
  end
  if behind == 0 and before > 0 then call('RENAME', front, ready) end
  if call('EXISTS', ready, front) == 0 then call('DEL', left) end
  if call('EXISTS', left, front) == 0 then call('ZREM', LEAVERS, queue) end
end

end
