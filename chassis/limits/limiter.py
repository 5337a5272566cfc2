"""The port: rates, the slots one call needs, and what a limiter answers.

The rule is GCRA: a key remembers one moment, when it would be idle again. A call takes a slot of every key it asks for,
or of none.
"""

from dataclasses import dataclass, replace
from typing import Protocol


class BadRate(ValueError):
    """A rate nothing can keep."""

    def __init__(self, field: str, value: object, bound: str) -> None:
        super().__init__(f"{field} = {value}: must be {bound}")
        self.field = field


class LimiterAway(Exception):
    """Whoever keeps the rates does not answer; nothing is known of a slot being taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most `calls` in any `seconds`, wherever these begin.

    With `burst` 1 calls are evenly spaced; a higher burst lets so many go at once and spaces what follows wider, so
    that the promise holds all the same. `margin` widens the spacing: what arrives a little late must not meet the next
    one in its window. A key that nobody remembers is idle, or, with `unknown_seconds`, taken for so long: say one
    window where not a single call too many may leave after the memory was lost.
    """

    calls: int
    seconds: float
    burst: int = 1
    margin: float = 0.05
    unknown_seconds: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be kept."""
        if self.calls < 1:
            raise BadRate("calls", self.calls, "at least 1")
        if self.seconds <= 0:
            raise BadRate("seconds", self.seconds, "more than 0")
        if not 1 <= self.burst <= self.calls:
            raise BadRate("burst", self.burst, f"between 1 and calls ({self.calls})")
        if not 0 <= self.margin <= 1:
            raise BadRate("margin", self.margin, "between 0 and 1")

    @property
    def spacing_seconds(self) -> float:
        """From one call to the next when calls never end."""
        return self.seconds * (1 + self.margin) / (self.calls - self.burst + 1)

    @property
    def leeway_seconds(self) -> float:
        """How far a burst may run ahead of the spacing."""
        return (self.burst - 1) * self.spacing_seconds

    def part(self, of: int) -> "Rate":
        """The rate of one of so many processes that know nothing of one another: together they keep this one."""
        calls = self.calls // of
        if calls:
            return replace(self, calls=calls, burst=min(self.burst, calls))
        return replace(self, calls=1, burst=1, seconds=self.seconds * of / self.calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A slot of one key. `ahead_seconds` is how long the caller is ready to wait for it once it is taken."""

    key: str
    rate: Rate
    ahead_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """The slots are the caller's: call after so many seconds, not before, and soon after."""

    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """No slot was taken: `by` is the key that has none sooner than in so many seconds."""

    wait_seconds: float
    by: str


class Limiter(Protocol):
    """Hands out slots. A slot not used is lost, never given back."""

    async def take(self, *asks: Ask) -> Taken | Held:
        """Take a slot of every key, or of none if one of them has none within its `ahead_seconds`."""
        ...

    async def look(self, ask: Ask) -> float:
        """Say in how many seconds the next slot of a key is free, and take nothing."""
        ...

    async def pause(self, ask: Ask, seconds: float) -> None:
        """Give out no slot of a key for so long; a longer pause is never shortened."""
        ...
