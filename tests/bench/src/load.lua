-- One kind of request, by WHAT, and at the end the figures as a line of JSON. Every thread goes through accounts of its
-- own, in the same order for the same RUN: what one run has allocated, another can release.
local what, run = os.getenv("WHAT"), os.getenv("RUN")
local credentials = tonumber(os.getenv("CREDENTIALS"))
local limit = tonumber(os.getenv("LIMIT"))
local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

function init()
  n, refused = 0, 0
  headers = { ["X-Service-Token"] = os.getenv("TOKEN"), ["Content-Type"] = "application/json" }
  math.randomseed(tonumber(run) * 16 + id)
end

local function allocation(account) return string.format('{"account_id":"%s"}', account) end
local function mine() return string.format("%s:%d:%d", run, id, n) end
local function random_id() return string.format("%08x%08x", math.random(0, 4294967295), math.random(0, 4294967295)) end

local paths = { release = "release", result = "result", batch = "allocate/batch" }
local function of_mine() return allocation(mine()) end
local bodies = {
  new = of_mine,
  refused = of_mine,
  release = of_mine,
  random = function() return allocation(random_id()) end,
  existing = function() return allocation("again:" .. n % 1000) end,
  result = function() return string.format('{"api_id":"%d","success":true,"latency_ms":120}', 1000000 + n % credentials) end,
  batch = function()
    local requests = {}
    for member = 1, 100 do requests[member] = allocation(mine() .. ":" .. member) end
    return '{"requests":[' .. table.concat(requests, ",") .. "]}"
  end,
}

function request()
  n = n + 1
  if n > limit then wrk.thread:stop() end
  return wrk.format("POST", "/api/admin/api-pool/" .. (paths[what] or "allocate"), headers, bodies[what]())
end

-- A batch is answered with success, whatever became of its members.
if what == "batch" then
  function response(_, _, body)
    for _ in body:gmatch('"success":false') do refused = refused + 1 end
  end
end

function done(summary, latency)
  local e = summary.errors
  -- Of requests that are to be refused, those that were not.
  local wrong = what == "refused" and summary.requests - e.status or e.status
  local members, fewest = 0, summary.requests
  for _, thread in ipairs(threads) do
    members = members + thread:get("refused")
    fewest = math.min(fewest, thread:get("n"))
  end
  io.write(string.format(
    '\nfigures {"requests":%d,"fewest":%d,"seconds":%f,"p50":%f,"p99":%f,"p999":%f,"errors":%d}\n',
    summary.requests, fewest, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3,
    members + e.connect + e.read + e.write + wrong + e.timeout))
end
