-- What wrk sends, and the counts it ends with, for benchmarks/load.py.
--
-- NETLAB_PATHS paths are made of NETLAB_PATTERN and asked for at random; NETLAB_DEPTH requests go
-- out at a time.

local pattern = os.getenv("NETLAB_PATTERN")
local paths = tonumber(os.getenv("NETLAB_PATHS"))
local depth = tonumber(os.getenv("NETLAB_DEPTH"))
local requests = {}

-- With one request at a time, always the same, wrk is not asked to call Lua for each.
if paths > 1 or depth > 1 then
    function init()
        math.randomseed(1)
        for number = 0, paths - 1 do
            requests[number + 1] = wrk.format(nil, pattern:format(number)):rep(depth)
        end
    end

    function request()
        return requests[math.random(#requests)]
    end
end

function done(summary)
    local errors = summary.errors
    print(string.format(
        "counts %d %d %d %d %d %d",
        summary.requests, summary.bytes, summary.duration,
        errors.status, errors.connect + errors.read + errors.write, errors.timeout
    ))
end
