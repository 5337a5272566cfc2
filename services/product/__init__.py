"""The catalogue: what a sku is called and what it costs."""
