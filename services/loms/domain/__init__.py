"""The rules of orders and stock: pure, no I/O, the standard library only."""
