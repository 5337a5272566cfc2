-- Sets events aside as they came; one that is parked already stays as it is. Returns the ids newly parked.
insert into inbox_parked (consumer, topic, partition, key, version, event_id, "offset", type, headers, payload, reason)
select $1, $2, $3, t.key, t.version, t.event_id, t.place, t.type, t.headers::jsonb, t.payload, t.reason
from unnest($4::text[], $5::bigint[], $6::uuid[], $7::bigint[], $8::text[], $9::text[], $10::bytea[], $11::text[])
  as t (key, version, event_id, place, type, headers, payload, reason)
on conflict (consumer, topic, key, event_id) do nothing
returning event_id
