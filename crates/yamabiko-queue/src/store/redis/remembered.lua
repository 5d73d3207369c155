-- The ids that are remembered after their jobs.
--
-- A sorted set of ids by time costs 126 bytes each, a set of 12 of their 16 bytes costs 56. So there is a set for each time
-- span that ids are remembered for, and for each quarter of it: an id is remembered for its span, and until the quarter ends.
-- An id is looked for in the sets of its own span. SEEN names the sets, "span:until".

local begin_remembered, remember, remember_now, remembered, is_remembered, unremember, forget_remembered do

local remembering                        -- name -> short ids that the step remembers
local last_span, last_ids                -- the last job's, and what is remembered with it; the next one's are mostly the same

local function short(id) return sub(id, 5, 16) end

local function name_of(span)
  local quarter = math.max(1, math.floor(span / 4))
  return exact(span) .. ':' .. exact(math.ceil((now + span) / quarter) * quarter)
end

local function until_of(name) return sub(name, find(name, ':', 1, true) + 1) end

function begin_remembered() remembering, last_span = {}, nil end

function remember(id, span)
  if span <= 0 then return end
  if span ~= last_span then
    local name = name_of(span)
    last_span, last_ids = span, remembering[name] or {}
    remembering[name] = last_ids
  end
  last_ids[#last_ids + 1] = short(id)
end

-- Writes what was collected.
function remember_now()
  if not last_span then return end
  for name, ids in pairs(remembering) do
    many('SADD', SEEN_IN .. name, ids)
    call('ZADD', SEEN, until_of(name), name)
  end
  begin_remembered()
end

-- Of short ids that are remembered for their spans, those of one span, and where each stands.
local function those_of(span, ids, spans)
  local some, places = {}, {}
  for i = 1, #ids do
    if spans[i] == span then
      some[#some + 1] = ids[i]
      places[#places + 1] = i
    end
  end
  return some, places
end

-- Which of these ids are remembered; of each, for which span, or one for all.
function remembered(ids, spans)
  local found, shorts = {}, {}
  -- By a clock in doubt, the time of none of them is over.
  local names = call('ZRANGEBYSCORE', SEEN, is_trusted and '(' .. stamp or '-inf', '+inf')
  if #names == 0 then return found end
  for i = 1, #ids do shorts[i] = short(ids[i]) end
  for _, name in ipairs(names) do
    local colon = find(name, ':', 1, true) or 1
    local span, asked, places = tonumber(sub(name, 1, colon - 1)), shorts, nil
    -- What an older version remembered does not tell its span.
    if span and tonumber(spans) then
      if span ~= spans then asked = {} end
    elseif span then
      asked, places = those_of(span, shorts, spans)
    end
    for n, is_in in ipairs(ask('SMISMEMBER', SEEN_IN .. name, asked)) do
      if is_in == 1 then found[places and places[n] or n] = true end
    end
  end
  return found
end

function is_remembered(id, span) return remembered({ id }, span)[1] end

function unremember(id)
  for _, name in ipairs(call('ZRANGE', SEEN, '0', '-1')) do call('SREM', SEEN_IN .. name, short(id)) end
end

-- Drops sets whose time is over, and the one that is over next if more ids are remembered than may be.
-- Answers how many ids were forgotten before their time.
function forget_remembered(most)
  local over = is_trusted and call('ZRANGEBYSCORE', SEEN, '-inf', stamp, 'LIMIT', '0', '256') or {}
  for _, name in ipairs(over) do
    call('UNLINK', SEEN_IN .. name)
    call('ZREM', SEEN, name)
  end
  local names, all, first = call('ZRANGE', SEEN, '0', '-1'), 0, 0
  for i, name in ipairs(names) do
    local count = call('SCARD', SEEN_IN .. name)
    all = all + count
    if i == 1 then first = count end
  end
  if all <= most then return 0 end
  call('UNLINK', SEEN_IN .. names[1])
  call('ZREM', SEEN, names[1])
  return first
end

end
