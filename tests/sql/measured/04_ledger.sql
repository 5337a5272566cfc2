-- The effect of every event, in the order of the log.
insert into notifications (
  order_id, version, user_id, status, audible, moment, event_id, state, card_step, alert_step, finished_at
)
select order_id, place, 7, status, false, now(), md5(order_id || ':' || place)::uuid, 'no_subscriber', 'skipped', 'none', now()
from generate_series(1, $1::bigint) as order_id cross join unnest($2::text[]) with ordinality as life (status, place)
order by order_id, place
