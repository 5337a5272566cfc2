-- Writes down a change of a stock, as order_changed does.
create function audit.stock_changed() returns trigger
language plpgsql security definer set search_path = audit, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into audit.stocks values
      (new.sku, null, null, new.total, new.reserved, pg_current_xact_id(), clock_timestamp());
  else
    insert into audit.stocks values
      (new.sku, old.total, old.reserved, new.total, new.reserved, pg_current_xact_id(), clock_timestamp());
  end if;
  return null;
end
$$
