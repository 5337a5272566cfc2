-- What the ledger holds: its rows, and how many orders do not have three versions.
select count(*)::bigint as planned, coalesce(sum((versions <> 3)::int), 0)::bigint as uneven
from notifications join (select order_id, count(*) as versions from notifications group by order_id) as each using (order_id)
