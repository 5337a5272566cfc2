"""Every SQL statement of the cart, one a file in `sql/`, named by its verb."""
