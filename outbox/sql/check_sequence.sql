-- How many numbers a session takes from the sequence at once.
select seqcache from pg_sequence where seqrelid = to_regclass('outbox_seq')
