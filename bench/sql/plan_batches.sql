-- The batches pgbench applies, each once.
create table plan_batches (
  batch int primary key, order_ids text, versions text, user_ids text, statuses text, items text, audible text, moments text,
  event_ids text, traceparents text, chat_ids text, chats text, keys text, mark_ids text, parked text
)
