"""The rules of a cart: pure, no I/O, the standard library only."""
