"""Ids that must not be mixed up."""

from typing import NewType

OrderId = NewType("OrderId", int)
UserId = NewType("UserId", int)
Sku = NewType("Sku", int)
