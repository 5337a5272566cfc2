-- One row per status change, in the order given; a change planned before is left as it is. Who is not linked now is final now.
insert into notifications (
  order_id, version, user_id, chat_id, status, items, audible, moment, event_id, traceparent,
  state, card_step, alert_step, finished_at
)
select
  c.order_id, c.version, c.user_id, s.chat_id, c.status, c.items, c.audible, c.moment, c.event_id, c.traceparent,
  case when s.chat_id is null then 'no_subscriber' else 'planned' end,
  case when s.chat_id is null then 'skipped' else 'pending' end,
  case when not c.audible then 'none' when s.chat_id is null then 'skipped' else 'pending' end,
  case when s.chat_id is null then clock_timestamp() end
from unnest(
  $1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::timestamptz[], $8::uuid[], $9::text[]
) with ordinality as c (order_id, version, user_id, status, items, audible, moment, event_id, traceparent, place)
left join subscribers s on s.user_id = c.user_id and s.active
order by c.place
on conflict (order_id, version) do nothing
returning order_id, version, user_id, chat_id, state
