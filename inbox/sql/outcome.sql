-- What came of a decision; no row = not carried out yet.
select outcome from inbox_audit where id = $1 and finished_at is not null
