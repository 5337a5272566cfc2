-- So many orders as they begin; the audit trigger sees each.
insert into orders (user_id, status, version, created_at, changed_at)
select 7, 'new', 1, moment, moment from generate_series(1, $1::bigint), clock_timestamp() as moment
