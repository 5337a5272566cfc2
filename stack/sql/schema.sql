-- The statements after which role $1 sees what lies in the schema public, and reads nothing it was not granted.
SELECT format(statement, $1::text)
FROM (
    VALUES
        ('REVOKE ALL ON SCHEMA public FROM PUBLIC'),
        ('GRANT USAGE ON SCHEMA public TO %I')
) AS needed (statement);
