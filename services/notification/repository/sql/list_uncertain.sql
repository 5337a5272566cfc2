-- Rows whose answer was lost, the newest first: which half it was, and why.
select order_id, version, status, card_step, alert_step, attempts, reason, finished_at from notifications
where state = 'uncertain'
order by finished_at desc
limit $1
