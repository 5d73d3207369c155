#!lua flags=allow-oom
-- Takes the pause from a queue and wakes a worker for it. ARGV: queue.
local queue = text()
call('ZREM', PAUSED, queue)
call('ZREM', PAUSED_AT, queue)
touched[queue] = true
wake()
