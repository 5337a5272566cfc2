-- Writes down what came of a decision; in the same transaction as its effect.
update inbox_audit set finished_at = clock_timestamp(), outcome = $2 where id = $1 and finished_at is null
