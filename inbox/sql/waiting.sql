-- All that is parked of some keys, in the order in which it is to be applied.
select key, version, event_id, partition, "offset", type, headers::text as headers, payload, reason
from inbox_parked
where consumer = $1 and topic = $2 and key = any ($3::text[])
order by key, version nulls first, "offset"
