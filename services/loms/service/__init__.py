"""The use cases: what a caller can ask of orders and stock, in terms of the ports this package declares."""
