-- One row per consumer and partition: who may write (epoch, owner) and the true position (next_offset).
-- joined_offset is where the log began when this consumer joined; above 0 some history was already deleted.
-- needs_reset, when set, says why the position does not fit the log; nothing is read until an operator decides.
create table inbox_partition (
  consumer      text   not null,
  topic         text   not null,
  partition     int    not null,
  epoch         bigint not null,
  owner         uuid,
  next_offset   bigint not null,
  last_event_id uuid,
  cluster_id    text   not null,
  joined_offset bigint not null,
  needs_reset   text,
  primary key (consumer, topic, partition)
) with (fillfactor = 10);
