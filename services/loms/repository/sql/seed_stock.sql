-- Loads stock rows once: a sku that is already there keeps what it has.
insert into stocks (sku, total, reserved)
select sku, total, reserved from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as row (sku, total, reserved)
on conflict (sku) do nothing
