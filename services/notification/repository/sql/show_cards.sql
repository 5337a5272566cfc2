-- Notes what the cards show now and where they lie; a shown version never goes back. An edit leaves the message id as it is.
insert into order_cards (order_id, user_id, chat_id, message_id, wanted_version, shown_version, changed_at)
select c.order_id, c.user_id, c.chat_id, c.message_id, c.version, c.version, clock_timestamp()
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
  as c (order_id, user_id, chat_id, message_id, version)
order by c.order_id
on conflict (order_id) do update set
  chat_id = excluded.chat_id,
  message_id = coalesce(excluded.message_id, order_cards.message_id),
  wanted_version = greatest(order_cards.wanted_version, excluded.wanted_version),
  shown_version = greatest(order_cards.shown_version, excluded.shown_version),
  changed_at = excluded.changed_at
