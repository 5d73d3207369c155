#!lua flags=allow-oom
-- Puts back a marker that was taken for nobody, if there is still something behind it. ARGV: queue; none: the timers.
if at < #ARGV then
  touched[text()] = true
else
  notice(first_time(DUE))
end
wake()
