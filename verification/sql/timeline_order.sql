-- One order as its own row says: how many status changes it had, and when the first and the last were made.
select version, created_at, changed_at, clock_timestamp() as now
from orders
where order_id = $1
