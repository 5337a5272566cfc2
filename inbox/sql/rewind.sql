-- Moves a position back. The epoch rises and the owner goes, so that whoever reads now undoes its batch and begins
-- anew from here. Never forward: skipping is not rewinding. No row = the position is not ahead of the target.
update inbox_partition set next_offset = $4, last_event_id = null, epoch = epoch + 1, owner = null
where consumer = $1 and topic = $2 and partition = $3 and next_offset >= $4 and needs_reset is null
returning epoch
