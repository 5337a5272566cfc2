-- Keeps the lease of $1 for the owner $3 of epoch $2; no row: fenced.
update outbox_cursor
set lease_until = clock_timestamp() + $4::interval
where name = $1 and epoch = $2 and owner = $3
returning state
