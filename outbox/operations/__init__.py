"""What operators do to an outbox: the functions `python -m outbox` and programs around it call.

Each takes a connection of the tables' owner. What changes something writes a row into `outbox_audit` in the same
transaction, with its reason; what must not be done is refused by name (`errors.OperationRefused`).
"""
