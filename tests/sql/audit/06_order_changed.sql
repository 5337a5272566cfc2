-- Writes down a change of an order, whoever makes it: with the owner's rights, under the top-level transaction's id.
create function audit.order_changed() returns trigger
language plpgsql security definer set search_path = audit, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into audit.orders values
      (new.order_id, null, new.status, 0, new.version, pg_current_xact_id(), clock_timestamp());
  else
    insert into audit.orders values
      (new.order_id, old.status, new.status, old.version, new.version, pg_current_xact_id(), clock_timestamp());
  end if;
  return null;
end
$$
