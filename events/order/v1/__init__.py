"""Version 1 of the events about orders, on the topic `loms.order-events`."""

from events.order.v1.status_changed import STATUSES, TYPES, OrderStatusChanged, decode, encode, type_of

__all__ = ["STATUSES", "TYPES", "OrderStatusChanged", "decode", "encode", "type_of"]
