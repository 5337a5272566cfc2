-- Records the ids of events of a topic without versions; returns those never seen before, each once.
insert into inbox_seen (consumer, topic, event_id, seen_at)
select $1, $2, t.event_id, t.seen_at from unnest($3::uuid[], $4::timestamptz[]) as t (event_id, seen_at)
on conflict do nothing
returning event_id
