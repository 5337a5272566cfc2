"""The calls of LOMS."""
