"""Everything the inbox refuses, by name.

Two families: `NeedsOperator` ends the runner because no restart can help; the rest are handled inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inbox.event import Event


class InboxError(Exception):
    """Base of everything the inbox raises."""


class Reject(InboxError):
    """Raised by a handler: this event can never be applied as it is; its key is parked until an operator decides."""

    def __init__(self, event: Event, reason: str) -> None:
        super().__init__(reason)
        self.event = event
        self.reason = reason


class TryAgain(InboxError):
    """Raised by a handler: what it needs is away just now, so the batch is undone and tried again until it passes."""


class HandlerCancelled(TryAgain):
    """A handler let a CancelledError out although nobody is stopping it."""

    def __init__(self) -> None:
        super().__init__("the handler raised CancelledError although the inbox did not cancel it")


class HandlerTooSlow(TryAgain):
    """A handler was cut off at its bound."""

    def __init__(self, seconds_max: float, events: int) -> None:
        super().__init__(f"the handler took longer than handler_seconds_max = {seconds_max} with {events} events")


class TransactionCut(TryAgain):
    """The server ended the connection while a handler had it."""

    def __init__(self, seconds: float, idle_seconds_max: float) -> None:
        super().__init__(
            f"the connection was closed within the {seconds:.1f} s the handler had it: the server ends a transaction "
            f"in which nothing is asked for longer than idle_transaction_seconds_max = {idle_seconds_max}"
        )


class DeadLettersAway(TryAgain):
    """A record without a usable key cannot be set aside just now; its partition waits."""

    def __init__(self, topic: str, error: Exception) -> None:
        super().__init__(
            f"a record without a usable key cannot be written to {topic} (is that topic there, and may we write?): "
            f"{type(error).__name__}: {error}"
        )


class BadLimits(InboxError, ValueError):
    """A setting that cannot be meant: outside its bounds, empty, or of another kind."""

    def __init__(self, name: str, value: object, bound: str) -> None:
        super().__init__(f"{name} = {value!r} is refused: {bound}")
        self.name = name
        self.value = value
        self.bound = bound


class Fenced(InboxError):
    """The partition has another owner or another position than this process believes: nothing was written."""


class NeedsOperator(InboxError):
    """Base of what no restart can help: the process stops and stays stopped until somebody decides."""


class PositionNeedsReset(NeedsOperator):
    """The stored position does not fit the log it is read from: going on would skip or repeat without a trace."""

    def __init__(self, consumer: str, topic: str, partition: int, why: str) -> None:
        super().__init__(
            f"{topic}/{partition}: {why}. Nothing was applied. Look at `python -m inbox status --dsn …`, then decide "
            f"with `python -m inbox reset --dsn … --bootstrap … --consumer {consumer} --topic {topic} --partition "
            f"{partition}`"
        )
        self.consumer = consumer
        self.topic = topic
        self.partition = partition
        self.why = why


class HandlerEndedTransaction(NeedsOperator):
    """A handler committed or rolled back what it was given to write in: effects and position would come apart."""

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"{topic}: the handler ended the transaction it was given (COMMIT or ROLLBACK). The position was not "
            "moved: what it committed itself will be applied again, what it rolled back is undone. Take that "
            "statement out of it, then start again"
        )
        self.topic = topic


class TooManyParkedKeys(NeedsOperator):
    """So many keys are parked that the fault is not in the data: the batch that crossed the ceiling was undone."""

    def __init__(self, topic: str, keys: int, ceiling: int, reason: str) -> None:
        super().__init__(
            f"{topic}: {keys} keys would be parked, the ceiling is {ceiling}; the last one because: {reason}. The last "
            "batch was rolled back. Look at `python -m inbox parked`; undo the deploy or raise `parked_keys_max`"
        )
        self.topic = topic
        self.keys = keys
        self.ceiling = ceiling
        self.reason = reason
