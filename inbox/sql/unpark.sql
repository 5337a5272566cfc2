-- Removes events that are no longer set aside, because they are applied (or dropped) in this very transaction.
delete from inbox_parked as parked
using unnest($3::text[], $4::uuid[]) as t (key, event_id)
where parked.consumer = $1 and parked.topic = $2 and parked.key = t.key and parked.event_id = t.event_id
