-- What wrk sends, and the counts it ends with, for benchmarks/load.py.
--
-- NETLAB_PATHS paths are made of NETLAB_PATTERN and asked for at random; NETLAB_DEPTH requests go
-- out at a time. Where NETLAB_UNSEEN is set, every request is NETLAB_REQUEST in which each
-- NETLAB_UNSEEN_ID becomes NETLAB_UNSEEN, eight digits of this run, and eight that count.

local pattern = os.getenv("NETLAB_PATTERN")
local paths = tonumber(os.getenv("NETLAB_PATHS"))
local depth = tonumber(os.getenv("NETLAB_DEPTH"))
local unseen = os.getenv("NETLAB_UNSEEN")
local requests = {}

if unseen then
    local number = 0
    local pieces = {}

    function init()
        local rest = os.getenv("NETLAB_REQUEST")
        local mark = "NETLAB_UNSEEN_ID"
        local from, to = rest:find(mark, 1, true)
        while from do
            pieces[#pieces + 1] = rest:sub(1, from - 1)
            rest = rest:sub(to + 1)
            from, to = rest:find(mark, 1, true)
        end
        pieces[#pieces + 1] = rest
    end

    function request()
        number = number + 1
        return table.concat(pieces, string.format("%s%08x", unseen, number))
    end
-- With one request at a time, always the same, wrk is not asked to call Lua for each.
elseif paths > 1 or depth > 1 then
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
