-- Everything makes sounds again, and this order, if one is given.
update mutes set until = clock_timestamp()
where user_id = any($1::bigint[]) and order_id in (0, coalesce($2::bigint, 0)) and until > clock_timestamp()
