-- Pieces of the table that a crash would empty.
select child.oid::regclass::text as name
from pg_inherits as link
join pg_class as child on child.oid = link.inhrelid
where link.inhparent = to_regclass('outbox') and child.relpersistence <> 'p'
