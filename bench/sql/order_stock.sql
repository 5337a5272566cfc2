-- So much stock that no order is short of it, in place of the seeded one.
insert into stocks (sku, total, reserved) select sku, 1000000000, 0 from generate_series(1, $1::bigint) as sku
on conflict (sku) do nothing
