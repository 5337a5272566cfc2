"""Cart: a basket that becomes an order."""
