-- Reads nothing, and needs to be allowed to read all the relay reads: what is missing or forbidden is refused here, by name.
select
from outbox_cursor
cross join (select seq, xid, event_id, topic, key, version, type, occurred_at, headers, payload from outbox) as outbox
cross join (select event_id from outbox_void) as voids
where false
