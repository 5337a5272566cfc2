-- What was set aside, as it came: bytes, headers in order (name, text or base64), and its place in the log.
create table inbox_parked (
  consumer  text        not null,
  topic     text        not null,
  key       text        not null,
  version   bigint,
  event_id  uuid        not null,
  partition int         not null,
  "offset"  bigint      not null,
  type      text,
  headers   jsonb       not null,
  payload   bytea,
  reason    text        not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (consumer, topic, key, event_id)
);
