"""Whom the cart calls: LOMS and the catalogue, with their refusals in our words."""
