-- The fence: moves the position only for the owner of this epoch, and only from where it left it. No row = undo all.
update inbox_partition set next_offset = $6, last_event_id = $7
where consumer = $1 and topic = $2 and partition = $3 and epoch = $4 and next_offset = $5 and needs_reset is null
returning epoch
