-- The cursor as it stands.
select epoch, owner, state, seen::text as seen, target::text as target, walked_seq, system_id, timeline, lease_until,
       extract(epoch from lease_until - clock_timestamp())::float8 as lease_seconds_left
from outbox_cursor
where name = $1
