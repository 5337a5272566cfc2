-- What the orders, their items, the outbox and the stock say of one another.
select
  (select count(*) from orders where status = 'awaiting payment') as orders,
  (select count(*) from outbox) as events,
  (select coalesce(sum(count), 0)::bigint from order_items) as pieces,
  (select sum(reserved)::bigint from stocks) as reserved
