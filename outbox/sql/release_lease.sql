-- Gives the lease back at once.
update outbox_cursor
set owner = null, lease_until = '-infinity'
where name = $1 and epoch = $2 and owner = $3
