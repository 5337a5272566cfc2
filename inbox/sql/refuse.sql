-- Marks a position that does not fit its log; only the owner that saw it may.
update inbox_partition set needs_reset = $5
where consumer = $1 and topic = $2 and partition = $3 and epoch = $4
