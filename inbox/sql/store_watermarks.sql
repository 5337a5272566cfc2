-- Stores the watermarks of a batch in one statement, in key order. The ids given are those of the newest versions; the
-- row keeps its own ids of the versions before them, 16 in all: none of its own when versions in between were given up,
-- fewer when the key goes back to follow another history.
insert into inbox_watermark as mark (consumer, topic, key, version, event_ids, parked)
select $1, $2, t.key, t.version, t.event_ids::uuid[], t.parked
from unnest($3::text[], $4::bigint[], $5::text[], $6::text[]) as t (key, version, event_ids, parked)
order by t.key
on conflict (consumer, topic, key) do update
set version = excluded.version, parked = excluded.parked, event_ids = (excluded.event_ids || case
  when excluded.version - cardinality(excluded.event_ids) <= mark.version then mark.event_ids[
    1 + least(16, mark.version - (excluded.version - cardinality(excluded.event_ids)))::int :]
  end)[1:16]
