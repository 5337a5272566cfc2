-- The pieces of the outbox with their bounds, and whether a detach was begun and not finished.
select child.oid::regclass::text as name, pg_get_expr(child.relpartbound, child.oid) as bounds, link.inhdetachpending as pending
from pg_inherits as link
join pg_class as child on child.oid = link.inhrelid
where link.inhparent = 'outbox'::regclass
