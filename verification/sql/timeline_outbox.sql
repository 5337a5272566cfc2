-- The outbox rows of one order: every status change as it was committed, while its row is retained.
select version, type, occurred_at, seq, xid::text as xid
from outbox
where topic = $1 and key = $2
order by version
