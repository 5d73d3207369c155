#!lua flags=allow-oom
-- What is due becomes ready, claims that ended come back, what is too old is removed. ARGV: what read_ticking() reads.
-- Answers: the time, number of jobs promoted, number of claims that ended, when to come again.
count_rare()
read_ticking()
local promoted, ended, next, dropped, forgotten = tick(0)
wake()
return { stamp, promoted, ended, next, dropped, forgotten }
