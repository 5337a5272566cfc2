-- One row per change of a stock, in the transaction of the change.
create table audit.stocks (
  sku          bigint      not null,
  was_total    bigint,
  was_reserved bigint,
  total        bigint      not null,
  reserved     bigint      not null,
  xid          xid8        not null,
  at           timestamptz not null
)
