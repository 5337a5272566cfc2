-- Ids of events of topics without versions; seen_at is the event's own time, so that a repeat meets the same row.
create table inbox_seen (
  consumer text        not null,
  topic    text        not null,
  event_id uuid        not null,
  seen_at  timestamptz not null,
  primary key (consumer, topic, event_id, seen_at)
) partition by range (seen_at);
