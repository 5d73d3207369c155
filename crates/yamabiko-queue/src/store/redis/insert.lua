#!lua
-- Stores a batch of jobs that are to be remembered equally long. ARGV: a text of numbers: what the clock must show if it was not
-- set (less than 0: it is in doubt), how far away a due time may be, the latest one of these jobs and of those that follow in
-- further calls (0: none), for how long to remember them; then the jobs.
-- Answers a letter for each: s stored, d duplicate, and an f for each revoked origin that was forgotten; or as a number how far
-- away the latest due time is if that is too far, and nothing is stored.
--
-- The one step without allow-oom: when memory is full the whole call is refused, so that the old work can be finished.
local expected, furthest, latest, span = pick('>i8i8i8i8', text())
trust(expected)
if latest - now > furthest then return latest - now end
local jobs, bodies, dues, revoked, ids, count, last = {}, {}, {}, {}, {}, 0, #args
while at < last do
  count = count + 1
  local job, body, due, revokes = read_job()
  jobs[count], ids[count] = job, id_of(job)
  if body then bodies[count] = body end
  if due then dues[count] = due end
  if revokes then revoked[count] = revokes end
end
look_up(ids, span)
local answers, forgotten = {}, 0
for i = 1, count do
  local is_new = insert(ids[i], jobs[i], bodies[i], dues[i])
  answers[i] = is_new and 's' or 'd'
  if is_new and revoked[i] then forgotten = forgotten + revoke(revoked[i]) end
end
wake()
return concat(answers) .. ('f'):rep(forgotten)
