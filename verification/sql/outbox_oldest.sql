-- When the oldest row still kept was written, and whether rows from before the lowest partition were ever dropped.
select (select min(occurred_at) from outbox where topic = $1) as kept_since,
       not exists (
         select from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'outbox'::regclass and pg_get_expr(c.relpartbound, c.oid) like '%FROM (''0'')%'
       ) as trimmed
