"""The view, its figures, and how far it has come."""
