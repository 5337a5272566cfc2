-- The triggers stand.
insert into audit.installed values (clock_timestamp())
