-- About how many rows the partitions keep, from their statistics.
select coalesce(sum(greatest(child.reltuples, 0)), 0)::bigint
from pg_inherits as link
join pg_class as child on child.oid = link.inhrelid
where link.inhparent = 'outbox'::regclass
