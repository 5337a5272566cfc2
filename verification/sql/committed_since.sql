-- Every status change committed to the outbox since a moment: its event, and when it was written by the database's clock.
select event_id, key, version, occurred_at
from outbox
where topic = $1 and occurred_at >= $2
