-- Every row of the topic written since a moment, in no order: one pass, nothing sorted, nothing kept.
select o.key, o.version, o.seq, o.event_id, o.type, o.payload, o.occurred_at, o.xid,
       o.event_id in (select v.event_id from outbox_void v) as void
from outbox o
where o.topic = $1 and o.occurred_at >= $2
