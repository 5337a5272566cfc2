"""LOMS, Logistics and Order Management: the only writer of orders and stock."""
