-- Places an order: its row as `new`, its items, what follows at once, both events and the answer to its key. All or nothing,
-- in the transaction of the caller, which is this one call. A function because a row cannot be written twice in one
-- statement, and both versions are facts.
-- All items are reserved, or none, and then it says which skus are short. Stock rows are locked in sku order, so two
-- orders never wait for each other in a circle; what is available is judged on the locked rows, so two orders never take
-- the same piece. Nobody else can know the order yet, so it needs no lock before its first event.
-- If another call holds the attempt's key it says so at once and writes nothing. An id or a key that is taken is a
-- violation of its primary key; it waits for whoever is about to take it.
create or replace function place_order(
  drawn_id bigint, drawn_at timestamptz, buyer bigint, skus bigint[], counts bigint[],
  event_topic text, event_headers text,
  new_event uuid, new_type text, new_body bytea,
  next_event uuid, next_at timestamptz,
  reserved_status text, reserved_type text, reserved_body bytea,
  short_status text, short_type text, short_body bytea,
  attempt_name text, attempt_owner bigint, attempt_key text, attempt_fingerprint bytea,
  out in_progress boolean, out short bigint[]
) language plpgsql as $$
begin
  in_progress := attempt_name is not null and not pg_try_advisory_xact_lock(hashtextextended(attempt_name, 0));
  if in_progress then
    return;
  end if;

  with added as (
    insert into orders (order_id, user_id, status, version, created_at, changed_at) overriding system value
    values (drawn_id, buyer, 'new', 1, drawn_at, drawn_at)
    returning order_id
  )
  insert into order_items (order_id, sku, count)
  select added.order_id, item.sku, item.count from added, unnest(skus, counts) as item (sku, count);

  with wanted as (
    select item.sku, item.count from unnest(skus, counts) as item (sku, count)
  ), locked as materialized (
    select sku, total - reserved as available from stocks where sku = any (skus) order by sku for update
  ), lacking as materialized (
    select wanted.sku from wanted left join locked using (sku)
    where locked.sku is null or locked.available < wanted.count
  ), taken as (
    update stocks set reserved = stocks.reserved + wanted.count
    from wanted
    where stocks.sku = wanted.sku and not exists (select from lacking)
  )
  select coalesce(array_agg(sku order by sku), '{}') into short from lacking;

  update orders
  set status = case when short = '{}' then reserved_status else short_status end, version = 2, changed_at = next_at
  where order_id = drawn_id;

  if attempt_name is not null then
    insert into idempotency_keys (scope, owner_id, key, fingerprint, order_id, short_skus)
    values ('user', attempt_owner, attempt_key, attempt_fingerprint, drawn_id, short);
  end if;

  with outbox_message as (
    select new_event as event_id, event_topic as topic, drawn_id::text as key, 1::bigint as version, new_type as type,
           drawn_at as occurred_at, event_headers::jsonb as headers, new_body as payload, 1::bigint as place
    union all
    select next_event, event_topic, drawn_id::text, 2, case when short = '{}' then reserved_type else short_type end,
           next_at, event_headers::jsonb, case when short = '{}' then reserved_body else short_body end, 2
  )
  {insert_rows};
end
$$
