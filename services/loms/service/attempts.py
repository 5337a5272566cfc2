"""Calls that may be repeated: an attempt carries its key, the first one's answer is kept and given again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.loms.domain.ids import OrderId, Sku


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call with an idempotency key.

    Attributes:
        scope: whose key it is: a user's (create) or an order's (pay, cancel).
        owner: the id of that user or order.
        key: chosen by the caller.
        fingerprint: a hash of the method and the body.
    """

    scope: Literal["user", "order"]
    owner: int
    key: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call led to.

    Attributes:
        order_id: the order.
        failed: whether it was recorded as failed.
        short: the skus it failed for, where they are known.
        replayed: whether this is the answer of an earlier attempt.
    """

    order_id: OrderId
    failed: bool = False
    short: Sequence[Sku] = ()
    replayed: bool = False
