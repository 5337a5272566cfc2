-- The next products by sku, from an exclusive place: rows added meanwhile never shift a page.
select sku, name, price from products where sku > $1 order by sku limit $2
