-- The age of the oldest transaction that has an id and has not ended, prepared ones included.
select coalesce(max(extract(epoch from clock_timestamp() - since)), 0)::float8
from (
  select xact_start as since from pg_stat_activity where backend_xid is not null
  union all
  select prepared from pg_prepared_xacts
) as open_transactions
