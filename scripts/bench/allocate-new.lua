-- A new account with each request.
local thread, run = 0, os.getenv("RUN")
function setup(t) t:set("id", thread); thread = thread + 1 end
function init() n = 0; headers = { ["X-Service-Token"] = os.getenv("TOKEN"), ["Content-Type"] = "application/json" } end
function request()
  n = n + 1
  return wrk.format("POST", "/api/admin/api-pool/allocate", headers, string.format('{"account_id":"%s:%d:%d"}', run, id, n))
end
