-- The statements after which, besides its owner, only roles $2 (the service) and $3 (the verifier) may connect to
-- database $1, and nobody may create schemas or temporary tables in it but its owner, role $4, which also sees how long
-- anybody's transactions are open: they hold back what it may drop.
SELECT format(statement, $1::text, $2::text, $3::text, $4::text)
FROM (
    VALUES
        ('REVOKE ALL ON DATABASE %1$I FROM PUBLIC'),
        ('GRANT CONNECT ON DATABASE %1$I TO %2$I, %3$I'),
        ('GRANT pg_read_all_data TO %3$I'),
        ('GRANT pg_read_all_stats TO %4$I'),
        ('ALTER ROLE %3$I SET default_transaction_read_only = on')
) AS needed (statement);
