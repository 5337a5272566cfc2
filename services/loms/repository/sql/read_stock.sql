-- Reads the stock of one sku as committed.
select sku, total, reserved from stocks where sku = $1
