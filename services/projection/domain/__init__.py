"""The rules of the view: pure, no I/O, the standard library only."""
