-- A new position for the cursor $1, planned at epoch $2. Whoever owns it is fenced by the new epoch.
-- A pause stays: its operator ends it.
update outbox_cursor
set seen = coalesce($3::text::pg_snapshot, seen),
    target = $4::text::pg_snapshot,
    walked_seq = $5,
    epoch = epoch + 1,
    owner = null,
    lease_until = '-infinity',
    state = case state when 'paused' then state else 'running' end,
    system_id = (select system_identifier::text from pg_control_system()),
    timeline = ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
where name = $1 and epoch = $2
returning epoch
