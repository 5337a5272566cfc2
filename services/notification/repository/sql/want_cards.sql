-- Every order that is planned has a card that wants at least this version; a wanted version never goes back.
insert into order_cards (order_id, user_id, chat_id, wanted_version)
select c.order_id, c.user_id, c.chat_id, c.version
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as c (order_id, user_id, chat_id, version)
order by c.order_id
on conflict (order_id) do update set wanted_version = greatest(order_cards.wanted_version, excluded.wanted_version)
