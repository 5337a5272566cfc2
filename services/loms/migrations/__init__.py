"""The schema of database `loms`, forward only: `python -m services.loms migrate`."""
