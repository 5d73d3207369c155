-- Behind all parts, in front of all steps.

local function step(name, flag, body)
  redis.register_function({
    function_name = LIBRARY .. '_' .. name,
    flags = flag ~= '' and { flag } or {},
    callback = function(keys, given)
      local refused = begin(keys, given, flag ~= 'no-writes', name == 'migrate')
      if refused then return refused end
      local answer = work(body)
      args, rows = nil, nil              -- what is large is not kept until the next call
      return answer
    end,
  })
end
