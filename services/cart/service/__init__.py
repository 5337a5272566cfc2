"""The use cases: what a person can do with a cart, in terms of the ports this package declares."""
