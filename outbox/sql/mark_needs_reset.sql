-- The stored position belongs to another history: nobody may go on from it.
update outbox_cursor
set state = 'needs_reset', owner = null, lease_until = '-infinity'
where name = $1 and epoch = $2 and owner = $3
