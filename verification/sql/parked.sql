-- What the consumer set aside, with its place in the log.
select key, event_id, reason from inbox_parked where consumer = $1 and topic = $2
