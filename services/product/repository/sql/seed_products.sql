-- Loads products once: a sku that is already there keeps its name and price.
insert into products (sku, name, price)
select sku, name, price from unnest($1::bigint[], $2::text[], $3::bigint[]) as row (sku, name, price)
on conflict (sku) do nothing
