-- How many of the given events have a row of the ledger that nothing leaves by itself.
select count(*) from notifications where event_id = any($1::uuid[]) and finished_at is not null
