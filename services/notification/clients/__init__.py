"""Whom this service calls, with their refusals in our words."""
