"""Every SQL statement of the catalogue, one a file in `sql/`, named by its verb."""
