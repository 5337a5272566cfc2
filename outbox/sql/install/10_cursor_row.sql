-- The first reader's position: every transaction still running now, this one included, is new to it.
insert into outbox_cursor (name, seen, epoch, lease_until, system_id, timeline, state)
select {cursor},
       format('%s:%s:', pg_snapshot_xmin(pg_current_snapshot()), pg_snapshot_xmin(pg_current_snapshot()))::pg_snapshot,
       0,
       '-infinity',
       (select system_identifier::text from pg_control_system()),
       ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int,
       'running';
