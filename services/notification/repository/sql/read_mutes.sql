-- Until when everything is silent for these users; nothing when it is not. For good is told as null.
select nullif(until, 'infinity') as until from mutes
where user_id = any($1::bigint[]) and order_id = 0 and until > clock_timestamp()
order by mutes.until desc
