#!lua flags=allow-oom
-- A worker's one call: ends or checkpoints a batch of runs with their effects, ticks, and claims the next jobs.
-- ARGV: token, 1 if it was sent before, what read_ticking() reads, how much later due jobs become ready here,
--   what make_commits() reads, what take_ready() reads
-- Answers: the time, jobs promoted, claims ended, when to come again, a letter for each commit,
--          and of what was claimed: ids, records, more, states.
-- One that is sent again claims nothing new: it is answered with the claims that still stand under its token.
-- One that comes after a later one of its line does no more than a tick.
--
-- allow-oom: a commit frees more than it takes.
count_rare()
local exchange, is_again = open_exchange(text()), number() == 1
read_ticking()
local later = number()
local is_late = exchange.order and exchange.order < 0
local answers = make_commits(is_late)
local ids = is_late and {}
if exchange.order == 0 then
  local cancelled, claimed_at
  settle()
  ids, cancelled, claimed_at = standing(exchange)
  end_cancelled(cancelled)
  unset_first(ids, claimed_at)
  claim(exchange.token, ids)               -- before the tick, which would end what is overdue
end
local promoted, ended, next, _, _, has_claims = tick(later)
settle()
if not ids then
  ids = take_ready()
  claim(exchange.token, ids, has_claims)
end
wake()
if not is_late and (#ids > 0 or is_again or find(answers, '[ac]')) then note_exchange(exchange, ids) end
return { stamp, promoted, ended, next, answers, hand_out(ids) }
