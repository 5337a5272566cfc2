"""Names of the record headers that services share: CloudEvents 1.0 in binary mode, and the trace.

The body of an event is exactly what its topic's contract says; everything beyond it travels here, as text in UTF-8.
"""

ID = "ce_id"
"""The event's id, a UUID."""
SOURCE = "ce_source"
"""The service that recorded the fact."""
SPEC_VERSION = "ce_specversion"
SUBJECT = "ce_subject"
"""The key: the id of what the event is about."""
TIME = "ce_time"
"""When the event was recorded, by the producer's database, RFC 3339."""
TYPE = "ce_type"
"""The name of the event, such as `order.paid`."""
SEQUENCE = "ce_sequence"
"""The version of what the event is about: 1, 2, 3 … without a gap."""

USER_ID = "ce_userid"
"""Whose order it is, decimal."""
ITEM_COUNT = "ce_itemcount"
"""How many pieces the order holds, all items together, decimal."""

CONTENT_TYPE = "content-type"
TRACEPARENT = "traceparent"
"""The W3C trace context of what recorded the fact."""

VOID = "outbox.void"
"""The type of a record without a body: an event an operator withdrew. Count it and go on."""
