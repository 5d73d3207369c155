#!lua flags=allow-oom
-- A worker's one call: ends or checkpoints a batch of runs with their effects, ticks, and claims the next jobs.
-- ARGV: what read_ticking() reads, how much later due jobs become ready here, what make_commits() reads, what take_ready() reads
-- Answers: the time, jobs promoted, claims ended, when to come again, a letter for each commit, the token,
--          and of what was claimed: ids, records, more, states.
--
-- allow-oom: a commit frees more than it takes.
read_ticking()
local later = number()
local answers = make_commits()
local promoted, ended, next = tick(later)
settle()
local ids = take_ready()
wake()
return { stamp, promoted, ended, next, answers, claim(ids) }
