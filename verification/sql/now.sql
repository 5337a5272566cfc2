-- The database's clock; run first, so that the snapshot is no older than what it says.
select clock_timestamp()
