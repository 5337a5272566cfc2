-- Takes reserved pieces out of the stock: reserved and total both shrink. Rows are locked in sku order.
with locked as materialized (
  select stocks.sku, item.count
  from stocks join unnest($1::bigint[], $2::bigint[]) as item (sku, count) using (sku)
  order by stocks.sku
  for update of stocks
)
update stocks set reserved = stocks.reserved - locked.count, total = stocks.total - locked.count
from locked where stocks.sku = locked.sku
