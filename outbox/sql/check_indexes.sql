-- The valid indexes of the table: method and the columns they are over.
select method.amname as method, attribute.attname as first_column
from pg_index as index
join pg_class as index_class on index_class.oid = index.indexrelid
join pg_am as method on method.oid = index_class.relam
join pg_attribute as attribute on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
where index.indrelid = to_regclass('outbox') and index.indisvalid and index.indpred is null
