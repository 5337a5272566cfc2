-- Uncertain rows, the oldest first, and what a resend would do with each: only the newest version of an order is worth telling.
select n.order_id, n.version, n.status, n.card_step, n.alert_step, n.finished_at,
  case
    when s.user_id is null or not s.active then 'leave: nobody is linked'
    when n.version < last.version then 'leave: version ' || last.version || ' was told since'
    when n.card_step = 'uncertain' and n.alert_step = 'uncertain' then 'send card and alert'
    when n.alert_step = 'uncertain' then 'send alert'
    else 'send card'
  end as resend
from notifications n
cross join lateral (select max(version) as version from notifications m where m.order_id = n.order_id) as last
left join subscribers s on s.user_id = n.user_id
where n.state = 'uncertain' and ($1::bigint is null or n.order_id = $1)
order by n.finished_at, n.order_id, n.version
limit $2
