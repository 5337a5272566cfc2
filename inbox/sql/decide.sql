-- Writes down a decision about a parked key, for the owner of its partition to carry out. No row = nothing is parked.
insert into inbox_audit (by, action, consumer, topic, partition, key, event_id, reason)
select $1, $2, parked.consumer, parked.topic, parked.partition, parked.key, $6, $7
from inbox_parked as parked
where parked.consumer = $3 and parked.topic = $4 and parked.key = $5
  and ($6::uuid is null or parked.event_id = $6)
limit 1
returning id
