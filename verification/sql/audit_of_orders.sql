-- Every change of the given orders the audit trigger ever saw.
select order_id, version, was_version, status, xid, at from audit.orders where order_id = any($1::bigint[])
