-- Takes the key for this transaction, or says at once that another one has it. Released by commit or rollback.
select pg_try_advisory_xact_lock(hashtextextended($1, 0))
