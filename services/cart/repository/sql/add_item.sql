-- Adds pieces to what is there, or changes nothing and returns no row if the sum were more than can be had.
insert into cart_items as item (user_id, sku, count)
select $1, $2, $3::bigint where $3::bigint <= $4
on conflict (user_id, sku) do update set count = item.count + excluded.count
where item.count + excluded.count <= $4
returning count
