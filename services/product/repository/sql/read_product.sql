-- One product, or no row.
select sku, name, price from products where sku = $1
