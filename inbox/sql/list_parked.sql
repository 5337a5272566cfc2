-- What is set aside, oldest key first, each key in the order in which it is to be applied.
select
  parked.consumer, parked.topic, parked.key, mark.parked as why, mark.version as applied, parked.version,
  parked.event_id, parked.type, parked.partition, parked."offset", parked.reason, parked.parked_at,
  octet_length(parked.payload) as payload_bytes
from inbox_parked as parked
join inbox_watermark as mark
  on mark.consumer = parked.consumer and mark.topic = parked.topic and mark.key = parked.key
where ($1::text is null or parked.consumer = $1) and ($2::text is null or parked.topic = $2)
  and ($3::text is null or parked.key = $3)
order by
  min(parked.parked_at) over (partition by parked.consumer, parked.topic, parked.key),
  parked.consumer, parked.topic, parked.key, parked.version nulls first, parked."offset"
limit $4
