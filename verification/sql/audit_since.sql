-- Every change of an order the audit trigger saw since a moment, whose transaction made it, and what it was before.
select order_id, version, was_version, status, xid, at from audit.orders where at >= $1
