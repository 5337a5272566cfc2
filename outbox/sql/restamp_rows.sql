-- Takes every row over from the table set aside, in order; its transaction is this one, which nobody has seen yet.
insert into outbox (seq, event_id, topic, key, version, type, occurred_at, headers, payload)
select seq, event_id, topic, key, version, type, occurred_at, headers, payload
from outbox_before
order by seq
