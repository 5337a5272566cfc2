-- Who holds a partition now.
select owner from inbox_partition where consumer = $1 and topic = $2 and partition = $3
