"""What the runner must be told: how each topic is to be read, and the bounds of everything that could grow."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal, get_args

from inbox.errors import BadLimits

FirstVersion = Literal["strict", "adopt"]

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """How one topic is read.

    versioned: the producer numbers the events of a key 1, 2, 3 …; otherwise repeats are known by their ids.
    first_version: what a key first seen above version 1 is: `strict` = a gap, `adopt` = its beginning.
    dead_letters: where records without a usable key go, `<name>.dead` unless said otherwise.
    """

    name: str
    versioned: bool = True
    first_version: FirstVersion = "strict"
    dead_letters: str = ""

    def __post_init__(self) -> None:
        """Fill in the topic for dead letters; refuse what cannot be meant."""
        if not _TOPIC.fullmatch(self.name):
            raise BadLimits("name", self.name, "must be a topic's: 1 to 249 letters, digits, dots, dashes, underscores")
        if self.first_version not in get_args(FirstVersion):
            raise BadLimits("first_version", self.first_version, "must be 'strict' or 'adopt'")
        if self.dead_letters == self.name:
            raise BadLimits("dead_letters", self.dead_letters, "must be another topic than the one that is read")
        if not self.dead_letters:
            object.__setattr__(self, "dead_letters", f"{self.name}.dead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a runner; every field has a range and a wrong one is refused by name.

    handler_seconds_max bounds one call of the handler, idle_transaction_seconds_max how long it may leave its
    connection alone: what is cut off there is undone and tried again.
    """

    batch_events_max: int = 500
    parked_keys_max: int = 100
    connections_max: int = 8
    session_timeout_seconds: float = 10.0
    rebalance_seconds_max: float = 30.0
    stop_seconds_max: float = 5.0
    statement_seconds_max: float = 30.0
    idle_transaction_seconds_max: float = 5.0
    handler_seconds_max: float = 60.0
    retry_seconds_min: float = 0.1
    retry_seconds_max: float = 5.0
    hint_every_seconds: float = 1.0
    decisions_every_seconds: float = 1.0
    seen_days: int = 30

    def __post_init__(self) -> None:
        """Refuse the first field that is out of its range."""
        for field in fields(self):
            low, high = _RANGES[field.name]
            value = getattr(self, field.name)
            if type(value) not in _KINDS[str(field.type)]:
                raise BadLimits(field.name, value, f"must be of type {field.type}")
            if not low <= value <= high:
                raise BadLimits(field.name, value, f"must be within {low} … {high}")
        if self.retry_seconds_min > self.retry_seconds_max:
            bound = f"must be at most retry_seconds_max = {self.retry_seconds_max}"
            raise BadLimits("retry_seconds_min", self.retry_seconds_min, bound)


_RANGES: dict[str, tuple[float, float]] = {
    "batch_events_max": (1, 10_000),
    "parked_keys_max": (0, 1_000_000),
    "connections_max": (1, 100),
    "session_timeout_seconds": (6, 1_800),
    "rebalance_seconds_max": (1, 600),
    "stop_seconds_max": (0.1, 120),
    "statement_seconds_max": (0.1, 600),
    "idle_transaction_seconds_max": (0.1, 60),
    "handler_seconds_max": (0.1, 3_600),
    "retry_seconds_min": (0.001, 60),
    "retry_seconds_max": (0.001, 600),
    "hint_every_seconds": (0.01, 600),
    "decisions_every_seconds": (0.01, 600),
    "seen_days": (1, 3_650),
}

_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float)}
