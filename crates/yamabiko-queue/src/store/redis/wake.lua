#!lua flags=allow-oom
-- Puts back a marker that was taken for nobody. ARGV: queue; none: the timers.
if at < #args then
  touched[text()] = true
else
  call('ZADD', ALARM, '0', '')
end
wake()
