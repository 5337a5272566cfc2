-- Plans uncertain halves again, for whoever is linked now, and notes who asked for it and why. A row that is not uncertain any
-- more, is not its order's newest or has lost its subscriber meanwhile is left alone.
with again as (
  update notifications n set
    state = 'planned', chat_id = s.chat_id, finished_at = null, lost_edits = 0, reason = 'an operator resends it',
    card_step = case n.card_step when 'uncertain' then 'pending' else n.card_step end,
    alert_step = case n.alert_step when 'uncertain' then 'pending' else n.alert_step end
  from unnest($1::bigint[], $2::bigint[]) as c (order_id, version)
  cross join lateral (select max(version) as version from notifications m where m.order_id = c.order_id) as last
  cross join subscribers s
  where n.order_id = c.order_id and n.version = c.version and n.state = 'uncertain' and c.version = last.version
    and s.user_id = n.user_id and s.active
  returning n.order_id, n.version, n.chat_id
), noted as (
  insert into resends (order_id, version, reason) select order_id, version, $3 from again
)
select order_id, version, chat_id from again
