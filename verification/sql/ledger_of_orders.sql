-- Every row of the ledger about the given orders.
select order_id, version, seq, event_id, state, card_step, alert_step
from notifications
where order_id = any($1::bigint[])
