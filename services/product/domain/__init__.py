"""The rules of the catalogue: pure, no I/O, the standard library only."""
