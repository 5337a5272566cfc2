-- Which history of which database this is, and how far its transactions have come.
select (select system_identifier::text from pg_control_system()) as system_id,
       ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int as timeline,
       pg_snapshot_xmax(pg_current_snapshot())::text as xmax,
       current_setting('synchronous_standby_names') <> '' as has_synchronous_standby
