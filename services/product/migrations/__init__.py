"""The schema of database `product`, forward only: `python -m services.product migrate`."""
