-- Everything up to the snapshot $5 is acknowledged, a finished backlog included. Renews the lease; no row: fenced.
update outbox_cursor
set seen = $5::text::pg_snapshot, target = null, walked_seq = null, lease_until = clock_timestamp() + $4::interval
where name = $1 and epoch = $2 and owner = $3
returning state
