-- How far the consumer's tables say they have come, per partition.
select partition, next_offset from inbox_partition where consumer = $1 and topic = $2
