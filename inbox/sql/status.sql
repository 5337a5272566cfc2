-- Every partition a consumer has joined, with what waits in it.
select
  held.consumer, held.topic, held.partition, held.epoch, held.owner, held.next_offset, held.needs_reset,
  (select count(distinct parked.key) from inbox_parked as parked
   where parked.consumer = held.consumer and parked.topic = held.topic and parked.partition = held.partition)
    as parked_keys,
  (select count(*) from inbox_audit as audit
   where audit.consumer = held.consumer and audit.topic = held.topic and audit.partition = held.partition
     and audit.finished_at is null) as undone
from inbox_partition as held
where $1::text is null or held.consumer = $1
order by held.consumer, held.topic, held.partition
