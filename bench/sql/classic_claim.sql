-- The oldest rows still to be sent, which nobody else has.
select id, event_id, key, version, type, occurred_at, headers, payload
from outbox_classic
where status = 'pending'
order by id
limit $1
for update skip locked
