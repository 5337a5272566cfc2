"""Tells people about their orders, in Telegram: one order card per order, an alert for what they must hear."""
