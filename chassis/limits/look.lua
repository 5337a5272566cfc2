-- Says in how many microseconds the key's next slot is free, by this server's clock, and takes nothing.
-- ARGV: leeway of a burst, what an unknown key waits.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local known = redis.pcall('GET', KEYS[1])
if type(known) ~= 'string' or not tonumber(known) then return tonumber(ARGV[2]) end
return math.max(0, known - ARGV[1] - now)
