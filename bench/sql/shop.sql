-- Orders, their items and the stock, as the service of orders has them.
create table shop_orders (
  order_id   bigint      generated always as identity primary key,
  user_id    bigint      not null,
  status     text        not null,
  version    bigint      not null,
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create table shop_order_items (order_id bigint, sku bigint, count bigint not null, primary key (order_id, sku));
create table shop_stocks (sku bigint primary key, total bigint not null, reserved bigint not null) with (fillfactor = 80);
