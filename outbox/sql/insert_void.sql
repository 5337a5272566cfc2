-- Withdraws an event the cursor $3 is not past. No row: there is no such event, it is sent already, or it is void already.
insert into outbox_void (event_id, reason)
select outbox.event_id, $2
from outbox
join outbox_cursor as cursor on cursor.name = $3
where outbox.event_id = $1 and not pg_visible_in_snapshot(outbox.xid, cursor.seen)
limit 1
on conflict do nothing
returning event_id
