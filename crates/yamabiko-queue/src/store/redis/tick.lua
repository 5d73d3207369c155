#!lua flags=allow-oom
-- What is due becomes ready, claims that ended come back, what is too old is removed.
-- Answers: the time, number of jobs promoted, number of claims that ended, when to come again.
local promoted, ended, next = tick(0)
wake()
return { exact(now), promoted, ended, next }
