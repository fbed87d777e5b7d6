-- The smallest answer that the program gives.
request = function() return wrk.format("GET", "/api/health") end
