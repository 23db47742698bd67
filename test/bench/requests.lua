-- Sends the bodies of a file (one a line) in turn, so that no server answers from a warm path of one request; prints the result as JSON.
local bodies = {}
local at = 0

function init(args)
  for line in io.lines(args[1]) do
    bodies[#bodies + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, line)
  end
  local pause = tonumber(args[2]) or 0
  if pause > 0 then
    -- whole milliseconds, evenly spread around what was asked for
    function delay()
      return math.floor(math.random() * 2 * pause + 0.5)
    end
  end
end

function request()
  at = at % #bodies + 1
  return bodies[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
