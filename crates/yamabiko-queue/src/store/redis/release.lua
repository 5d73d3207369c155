#!lua flags=allow-oom
-- Puts back what an exchange claimed whose answer never arrived, as if it had claimed nothing. ARGV: token.
-- Answers how many jobs. The exchange claims nothing any more, even if it arrives later.
-- As claims that end. Lua's own comparison goes by the server's language.
local function comes_first(one, other)
  for i = 1, #one do
    local a, b = byte(one, i), byte(other, i)
    if a ~= b then return a < (b or -1) end
  end
  return false
end

local exchange = open_exchange(text())
if exchange.order and exchange.order < 0 then return 0 end
local ids, cancelled, claimed_at = {}, {}, nil
if exchange.order == 0 then ids, cancelled, claimed_at = standing(exchange) end
end_cancelled(cancelled)
unset_first(ids, claimed_at)
table.sort(ids, comes_first)
local records = hmget(JOB, ids)
for i = #ids, 1, -1 do                     -- from behind: each goes to the front of its queue, and keeps its lane
  unclaim(ids[i])
  put_first(ids[i], (header(records[i])))
end
wake()
note_exchange(exchange, {})
return #ids + #cancelled
