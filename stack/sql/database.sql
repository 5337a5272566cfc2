-- The statement that creates database $1 owned by role $2; no row if the database is there.
SELECT format('CREATE DATABASE %I OWNER %I', $1::text, $2::text)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = $1);
