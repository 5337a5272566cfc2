-- Every row of the ledger planned since a moment, in no order.
select order_id, version, seq, event_id, state, card_step, alert_step
from notifications
where planned_at >= $1
