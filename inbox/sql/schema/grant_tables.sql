-- The consumer's role reads and writes rows, and nothing more.
grant select, insert, update, delete on inbox_partition, inbox_watermark, inbox_parked, inbox_seen to app_role;
