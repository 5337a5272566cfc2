-- The partitions of the outbox with rows, each with its BRIN index over seq.
select child.oid::regclass::text as leaf, index_class.oid::regclass::text as seq_index
from pg_inherits as link
join pg_class as child on child.oid = link.inhrelid
join pg_index as leaf_index on leaf_index.indrelid = child.oid
join pg_class as index_class on index_class.oid = leaf_index.indexrelid
join pg_am as method on method.oid = index_class.relam and method.amname = 'brin'
where link.inhparent = 'outbox'::regclass and not link.inhdetachpending and pg_relation_size(child.oid) > 0
