-- Ids of events of topics without versions; seen_at is the event's own time, so that a repeat meets the same row, and
-- recorded_at when it came here: an event that was old already is remembered no less long.
create table inbox_seen (
  consumer    text        not null,
  topic       text        not null,
  event_id    uuid        not null,
  seen_at     timestamptz not null,
  recorded_at timestamptz not null default now(),
  primary key (consumer, topic, event_id, seen_at)
) partition by range (seen_at);
