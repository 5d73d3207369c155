#!lua flags=allow-oom
-- "I am alive, and these runs are mine." Extends all leases of a process in one call.
-- ARGV: lease, name of the process, what it says of itself, number of awaited tokens, these, then id and token of each run.
-- Extends also what was claimed under the awaited tokens: those of exchanges whose answers are still to come.
-- Answers a letter for each run: y held, c cancelled (stop it, then commit its cancel: that frees its lane), l lost.
local lease_end, name, about = exact(now + number()), text(), text()
call('ZADD', BEAT, lease_end, name)
call('HSET', PROCESS, name, about)
local awaited, ids, tokens = texts(number()), {}, {}
while at < #args do
  ids[#ids + 1] = text()
  tokens[#tokens + 1] = text()
end
local answers, leases = {}, {}
local records = has_groups() and hmget(JOB, ids) or {}
for i, claim in ipairs(hmget(CLAIM, ids)) do
  if not claim or sub(claim, 1, 16) ~= tokens[i] then
    answers[i] = 'l'
  elseif #claim > CLAIM_BYTES or is_cancelled_group(ids[i], records[i]) then
    answers[i] = 'c'
  else
    answers[i] = 'y'
    leases[#leases + 1] = lease_end
    leases[#leases + 1] = ids[i]
  end
end
for _, token in ipairs(awaited) do
  local exchange = open_exchange(token)
  if exchange.order == 0 then
    for _, id in ipairs((standing(exchange))) do
      leases[#leases + 1] = lease_end
      leases[#leases + 1] = id
    end
  end
end
many('ZADD', LEASE, leases)
return concat(answers)
