-- One of a thousand accounts that come again and again.
function init() n = 0; headers = { ["X-Service-Token"] = os.getenv("TOKEN"), ["Content-Type"] = "application/json" } end
function request()
  n = (n + 1) % 1000
  return wrk.format("POST", "/api/admin/api-pool/allocate", headers, string.format('{"account_id":"again:%d"}', n))
end
