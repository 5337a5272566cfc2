-- Takes a slot of every key or of none, by this server's clock, in microseconds.
-- ARGV, four for each key: spacing, leeway of a burst, how far ahead a slot may lie, what an unknown key waits.
-- Answers {1, wait} when taken, {0, wait, number of the key that has no slot sooner} when not.
-- A key holds the moment at which it would be idle again, and is gone soon after it; what is no moment counts as unknown.
-- What an unknown key waits begins with the first question, answered or not.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local idle_at, wait, latest, taken = {}, 0, 0, 1
for i, key in ipairs(KEYS) do
  local leeway, ahead, unknown = tonumber(ARGV[4 * i - 2]), tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local known = redis.pcall('GET', key)
  idle_at[i] = type(known) == 'string' and tonumber(known)
  if not idle_at[i] then
    idle_at[i] = unknown > 0 and now + leeway + unknown or now
    if unknown > 0 then redis.call('SET', key, string.format('%.0f', idle_at[i]), 'PX', 86400000) end
  end
  local own = idle_at[i] - leeway - now
  if own > ahead then taken = 0 end
  if own > wait then wait, latest = own, i end
end
if taken == 0 then return {0, wait, latest} end
for i, key in ipairs(KEYS) do
  local idle = math.max(idle_at[i], now + wait) + tonumber(ARGV[4 * i - 3])
  local kept = math.ceil((idle - now) / 1000)
  if tonumber(ARGV[4 * i]) > 0 then kept = math.max(kept, 86400000) end
  redis.call('SET', key, string.format('%.0f', idle), 'PX', kept)
end
return {1, wait}
