-- Writes down what a command has done itself, in the transaction that did it.
insert into inbox_audit (by, action, consumer, topic, partition, reason, finished_at, outcome)
values ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7)
