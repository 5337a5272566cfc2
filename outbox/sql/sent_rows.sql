-- Sent rows to send again, in order, as the reader's columns: of key $1 with $2 <= version <= $3, or with
-- $4 <= occurred_at < $5; of the topics $6 if given. Only what the snapshot $7 has seen: the relay sends the rest itself.
select seq, event_id, topic, key, version, type, occurred_at, headers, payload
from outbox
where ($1::text is null or (key = $1 and version between $2 and $3))
  and ($4::timestamptz is null or (occurred_at >= $4 and occurred_at < $5))
  and ($6::text[] is null or topic = any($6))
  and pg_visible_in_snapshot(xid, $7::text::pg_snapshot)
order by seq
