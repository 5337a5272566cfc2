-- One row per change of an order, in the transaction of the change. was_version 0: there was no order before.
create table audit.orders (
  order_id    bigint      not null,
  was_status  text,
  status      text        not null,
  was_version bigint      not null,
  version     bigint      not null,
  xid         xid8        not null,
  at          timestamptz not null
)
