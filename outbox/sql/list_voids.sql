-- Every event an operator withdrew.
select event_id from outbox_void
