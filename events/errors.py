"""What is wrong with an event, named by field, value and bound."""

_VALUE_CHARS_MAX = 80


class InvalidEvent(ValueError):
    """An event breaks its contract: `field` holds `value`, which `bound` does not allow."""

    def __init__(self, field: str, value: object, bound: str) -> None:
        shown = repr(value)
        shown = shown if len(shown) <= _VALUE_CHARS_MAX else f"{shown[:_VALUE_CHARS_MAX]}…"
        super().__init__(f"{field} must be {bound}, not {shown}")
        self.field = field
        self.value = shown
        self.bound = bound


class UndecodableEvent(InvalidEvent):
    """Bytes from a topic are not an event of its contract. No retry will help."""
