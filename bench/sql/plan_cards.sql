-- One order for each person linked, placed just now, its card waiting to be sent.
with planned as (
  insert into notifications (
    order_id, version, user_id, chat_id, status, items, audible, moment, event_id, state, card_step, alert_step
  )
  select user_id, 1, user_id, chat_id, 'new', 3, false, clock_timestamp(), uuidv7(), 'planned', 'pending', 'none'
  from subscribers
  order by user_id
  returning order_id, user_id, chat_id
), cards as (
  insert into order_cards (order_id, user_id, chat_id, wanted_version)
  select order_id, user_id, chat_id, 1 from planned
)
insert into chat_lanes (chat_id, due_at, tickets) select chat_id, clock_timestamp(), 1 from planned
