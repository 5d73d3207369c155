#!lua flags=no-writes
-- Shows jobs. ARGV: 1 if only those that are live, ids. Answers how many it came to, and the columns of rows.lua; what is not
-- stored is left out.
begin_rows()
local only_live = text() == '1'
local ids, n = texts(#args - at), 0
while n < #ids and shown < MOST_BYTES do
  n = n + 1
  look(ids[n], only_live)
end
return { n, rows }
