-- For each chat the order first in line: all its rows by version, its owner as linked now, its card, whether it is muted.
select
  lane.chat_id as lane_chat_id,
  n.order_id, n.version, n.user_id, n.chat_id, n.status, n.items, n.audible, n.moment, n.state, n.card_step, n.alert_step,
  n.call, n.epoch, n.attempts, n.lost_edits, n.plain, n.reason, n.traceparent,
  s.chat_id as linked_chat_id, s.active, s.language,
  c.chat_id as card_chat_id, c.message_id, c.shown_version,
  exists (
    select from mutes m where m.user_id = n.user_id and m.order_id in (0, n.order_id) and m.until > clock_timestamp()
  ) as muted
from unnest($1::bigint[]) as lane (chat_id)
cross join lateral (
  select order_id from notifications
  where chat_id = lane.chat_id and finished_at is null
  order by seq
  limit 1
) as head
join notifications n on n.order_id = head.order_id
left join subscribers s on s.user_id = n.user_id
left join order_cards c on c.order_id = n.order_id
order by lane.chat_id, n.version
