-- Dead rows in a table and its partitions, as the server counts them.
select coalesce(sum(pg_stat_get_dead_tuples(piece.oid)), 0)::bigint
from (
  select $1::text::regclass::oid as oid
  union all
  select inhrelid from pg_inherits where inhparent = $1::text::regclass
) as piece
