-- Puts the rows of `outbox_message` into the outbox. One statement, sorted before the sequence is drawn, so that a key's
-- versions and its sequence numbers rise together; `place` keeps the caller's order where there is no version.
-- Columns of `outbox_message`: event_id uuid, topic text, key text, version bigint, type text, occurred_at timestamptz,
-- headers jsonb, payload bytea, place bigint.
insert into outbox (event_id, topic, key, version, type, occurred_at, headers, payload)
select event_id, topic, key, version, type, coalesce(occurred_at, clock_timestamp()), headers, payload
from outbox_message
order by version, place
