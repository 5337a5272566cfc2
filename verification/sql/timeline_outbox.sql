-- The outbox rows of one order while they are retained: every status change as it was committed, withdrawn or not.
select row.version, row.type, row.occurred_at, row.seq, row.xid::text as xid, void.at as void_at, void.reason as void_reason
from outbox as row
left join outbox_void as void on void.event_id = row.event_id
where row.topic = $1 and row.key = $2
order by row.version
