-- What was tried for one order, by version.
select order_id, version, status, state, card_step, alert_step, attempts, reason, next_attempt_at, finished_at,
  finished_at - moment as latency
from notifications where order_id = $1
order by version
