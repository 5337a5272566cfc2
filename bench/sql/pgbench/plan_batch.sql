-- One batch of the notification service's consumer as it applies it; what it takes to fetch the batch is not counted.
\set turn :turn + 1
\set batch (:turn - 1) * {clients} + :client_id
select order_ids, versions, user_ids, statuses, items, audible, moments, event_ids, traceparents, chat_ids, chats, keys, mark_ids, parked from plan_batches where batch = :batch \gset
begin;
{lock_watermarks};
{plan_notifications};
{want_cards};
{open_lanes};
{store_watermarks};
{advance};
commit;
