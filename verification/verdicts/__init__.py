"""One module per witness: what it says about one order, held against the one before it."""
