-- Gives out no slot of the key for so long, by this server's clock, in microseconds; never shortens a longer pause.
-- ARGV: leeway of a burst, the pause.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local idle = now + ARGV[1] + ARGV[2]
local known = redis.pcall('GET', KEYS[1])
if (type(known) == 'string' and tonumber(known) or 0) < idle then
  redis.call('SET', KEYS[1], string.format('%.0f', idle), 'PX', math.max(1, math.ceil((idle - now) / 1000)))
end
return 1
