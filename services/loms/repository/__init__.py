"""Every SQL statement of LOMS: raw asyncpg on the hot paths, one statement a file in `sql/`, named by its verb."""
