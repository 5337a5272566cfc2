-- The events of one order that its consumer set aside.
select coalesce(version, 0) as version, parked_at, reason
from inbox_parked
where consumer = $1 and topic = $2 and key = $3
order by version, "offset"
