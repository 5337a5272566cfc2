-- Writes rows that are still as they were read (state and epoch), and names them: a row another claim has taken over is left alone.
update notifications n set
  state = c.state, card_step = c.card_step, alert_step = c.alert_step, call = c.call, epoch = c.epoch, attempts = c.attempts,
  lost_edits = c.lost_edits, plain = c.plain, reason = c.reason,
  called_at = case when c.state = 'calling' then clock_timestamp() else n.called_at end,
  next_attempt_at = case when c.state = 'planned' and c.after > interval '0' then clock_timestamp() + c.after end,
  finished_at = case when c.state not in ('planned', 'calling') then clock_timestamp() end
from unnest(
  $1::bigint[], $2::bigint[], $3::text[], $4::bigint[],
  $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::integer[], $11::integer[], $12::boolean[], $13::text[],
  $14::interval[]
) as c (
  order_id, version, was_state, was_epoch,
  state, card_step, alert_step, call, epoch, attempts, lost_edits, plain, reason, after
)
where n.order_id = c.order_id and n.version = c.version and n.state = c.was_state and n.epoch = c.was_epoch
returning n.order_id, n.version, n.state, n.finished_at - n.moment as latency
