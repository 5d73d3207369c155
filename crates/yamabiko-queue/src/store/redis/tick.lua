#!lua flags=allow-oom
-- What is due becomes ready, claims that ended come back, what is too old is removed. ARGV: what read_ticking() reads.
-- Answers: the time, number of jobs promoted, number of claims that ended, when to come again, how many dead jobs were removed,
-- how many ids forgotten before their time, 1 if the caller is to search for jobs that lost their places.
local SEARCH_AGAIN = 10 * 1000000

-- The search is for one process, and for another where nothing was heard of it for a while.
local function hands_search_out()
  local went_on = call('GET', MENDING)
  if not went_on then return false end
  went_on = tonumber(went_on) or 0
  if went_on <= now and now < went_on + SEARCH_AGAIN then return false end
  call('SET', MENDING, stamp)
  return true
end

count_rare()
read_ticking()
local promoted, ended, next, dropped, forgotten = tick(0)
wake()
return { stamp, promoted, ended, next, dropped, forgotten, hands_search_out() and 1 or 0 }
