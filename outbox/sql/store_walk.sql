-- Everything between seen and the target $5 with seq <= $6 is acknowledged. Renews the lease; no row: fenced.
update outbox_cursor
set target = $5::text::pg_snapshot, walked_seq = $6, lease_until = clock_timestamp() + $4::interval
where name = $1 and epoch = $2 and owner = $3
returning state
