-- Takes out the jobs of groups that were cancelled, so many in each tick.

local sweep_groups do

-- Looks at the next jobs of a chat for those of its oldest group. Answers how many they were, and whether they were the last.
local function sweep(chat, group, most)
  local key, last = CHAT .. chat, exact(-group.number)
  local ids = call('ZRANGEBYSCORE', key, '(' .. last, '0', 'LIMIT', '0', exact(most))
  local due, chosen = zmscore(DUE, ids), {}
  for i, record in ipairs(hmget(JOB, ids)) do
    local _, _, _, origin, _, kind = header(record)
    if not record then
      drop(key, ids[i])                    -- left behind by one whose record did not tell its chat
    elseif kind and is_in_group(group, record, origin, kind, due[i]) then
      chosen[#chosen + 1] = ids[i]
    else
      add(key, last, ids[i])
    end
  end
  for i, answer in ipairs(cancel_all(chosen)) do
    if answer ~= 'g' then add(key, last, chosen[i]) end
  end
  settle()
  return #ids, #ids < most
end

-- Answers whether there is more to do.
function sweep_groups(most)
  if not has_groups() then return false end
  local left = most
  repeat
    local chat = call('ZRANGE', SWEPT, '0', '0')[1]
    if not chat then break end
    local groups = groups_of(chat)
    local count, is_last = 0, true
    if groups[1] then count, is_last = sweep(chat, groups[1], left) end
    if is_last then
      table.remove(groups, 1)
      write_groups(chat, groups)
    end
    left = left - math.max(count, 1)
  until left <= 0
  begin_groups()
  return has_groups()
end

end
