-- Every row of the topic about the given orders, whenever it was written.
select o.key, o.version, o.seq, o.event_id, o.type, o.payload, o.occurred_at, o.xid,
       o.event_id in (select v.event_id from outbox_void v) as void
from outbox o
where o.topic = $1 and o.key = any($2::text[])
