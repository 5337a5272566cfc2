-- One row per key: the last applied version and the ids of the last 16, newest first, to tell a repeat from a fork.
create table inbox_watermark (
  consumer  text   not null,
  topic     text   not null,
  key       text   not null,
  version   bigint not null,
  event_ids uuid[] not null,
  parked    text   check (parked in ('gap', 'fork', 'poison')),
  primary key (consumer, topic, key)
) with (fillfactor = 70);
