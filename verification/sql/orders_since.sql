-- Every order that changed since a moment: its version and status as they are, and whether it began since then.
select order_id, version, status, created_at >= $1 as began
from orders
where changed_at >= $1
