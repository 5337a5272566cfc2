-- One order's changes by version, for its owner only.
select version, status, items, moment from notifications
where order_id = $1 and user_id = any($2::bigint[])
order by version
