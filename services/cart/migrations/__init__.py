"""The schema of database `cart`, forward only: `python -m services.cart migrate`."""
