-- Writes one move of an order, from exactly the version before it: versions stay dense. No row means another one moved it.
update orders set status = $2, version = $3, changed_at = $4 where order_id = $1 and version = $3 - 1 returning order_id
