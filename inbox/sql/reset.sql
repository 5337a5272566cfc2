-- Gives a position that does not fit its log a new beginning. No row = it fits, or somebody was faster.
update inbox_partition
set next_offset = $4, last_event_id = null, cluster_id = $5, joined_offset = $6, needs_reset = null,
    epoch = epoch + 1, owner = null
where consumer = $1 and topic = $2 and partition = $3 and needs_reset is not null
returning epoch
