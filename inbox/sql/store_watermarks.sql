-- Stores the watermarks of a batch in one statement, in key order.
insert into inbox_watermark as mark (consumer, topic, key, version, event_ids, parked)
select $1, $2, t.key, t.version, t.event_ids::uuid[], t.parked
from unnest($3::text[], $4::bigint[], $5::text[], $6::text[]) as t (key, version, event_ids, parked)
order by t.key
on conflict (consumer, topic, key) do update
set version = excluded.version, event_ids = excluded.event_ids, parked = excluded.parked
