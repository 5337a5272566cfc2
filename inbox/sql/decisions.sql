-- What operators decided about a partition and nobody has carried out yet, oldest first.
select id, action, key, event_id, reason, by from inbox_audit
where consumer = $1 and topic = $2 and partition = $3 and finished_at is null
order by id limit 20
