-- Takes a partition: the epoch rises, so that whoever had it before is fenced. A first join inserts the row at the
-- log's start. The position, the cluster and a pending refusal come back untouched.
insert into inbox_partition as held (consumer, topic, partition, epoch, owner, next_offset, cluster_id, joined_offset)
values ($1, $2, $3, 1, $4, $5, $6, $5)
on conflict (consumer, topic, partition) do update set epoch = held.epoch + 1, owner = excluded.owner
returning epoch, next_offset, last_event_id, cluster_id, joined_offset, needs_reset
