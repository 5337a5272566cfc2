-- How many records a consumer has behind it.
select coalesce(sum(next_offset), 0)::bigint from inbox_partition where consumer = $1
