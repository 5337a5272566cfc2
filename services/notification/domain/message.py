"""A message ready to leave, whatever it says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message; `data` (at most 64 bytes) comes back when it is pressed."""

    label: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text ready to leave: HTML if there is markup to parse, plain otherwise. A silent one makes no sound.

    Its buttons are shown in rows of `per_row`.
    """

    text: str
    html: bool
    silent: bool
    buttons: tuple[Button, ...]
    per_row: int = 3
