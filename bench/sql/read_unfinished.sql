-- How many rows of the ledger are not final.
select count(*) from notifications where finished_at is null
