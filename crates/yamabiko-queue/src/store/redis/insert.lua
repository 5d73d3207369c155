#!lua
-- Stores a batch of jobs. ARGV: what read_trust() reads, how far away a due time may be, the latest one of these jobs and of those that follow in
-- further calls ("" = none), then the jobs.
-- Answers a letter for each: s stored, d duplicate, and an f for each revoked origin that was forgotten; or as a number how far away the latest due time is if that is too far,
-- and nothing is stored.
--
-- The one step without allow-oom: when memory is full the whole call is refused, so that the old work can be finished.
read_trust()
local furthest, latest = number(), number()
if latest and latest - now > furthest then return latest - now end
local jobs, bodies, dues, spans, revoked, ids, count = {}, {}, {}, {}, {}, {}, 0
while at < #args do
  count = count + 1
  local job, body, due, span, revokes = read_job()
  ids[count] = id_of(job)
  jobs[count], bodies[count], dues[count], spans[count], revoked[count] = job, body, due, span, revokes
end
look_up(ids, spans)
local answers, forgotten = {}, 0
for i, job in ipairs(jobs) do
  local is_new = insert(ids[i], job, bodies[i], dues[i], spans[i])
  answers[i] = is_new and 's' or 'd'
  if is_new and revoked[i] then forgotten = forgotten + revoke(revoked[i]) end
end
wake()
return concat(answers) .. ('f'):rep(forgotten)
