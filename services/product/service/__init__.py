"""The use cases: what a caller can ask of the catalogue, in terms of the ports this package declares."""
