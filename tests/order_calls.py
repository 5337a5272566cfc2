"""The words of a story about orders: what can be asked of LOMS, and what it can answer."""

from dataclasses import dataclass

Lines = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Create:
    user: int
    lines: Lines
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Pay:
    order: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    order: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Info:
    order: int


@dataclass(frozen=True, slots=True)
class List:
    user: int | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Available:
    sku: int


@dataclass(frozen=True, slots=True)
class Expire:
    """One turn of an expirer."""


@dataclass(frozen=True, slots=True)
class Expired:
    """One order cancelled by an expirer: a step of the model, never a call."""

    order: int


Write = Create | Pay | Cancel
Call = Write | Info | List | Available | Expire | Expired


@dataclass(frozen=True, slots=True)
class Done:
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    order: int
    short: tuple[int, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    user: int
    status: str
    items: Lines


@dataclass(frozen=True, slots=True)
class Listed:
    orders: tuple[tuple[int, str], ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Pieces:
    count: int


@dataclass(frozen=True, slots=True)
class Refused:
    name: str


Answer = Done | Placed | Shown | Listed | Pieces | Refused

NOT_FOUND, ILLEGAL, REUSED = Refused("OrderNotFound"), Refused("IllegalTransition"), Refused("IdempotencyKeyReused")
IN_PROGRESS = Refused("RequestInProgress")


def owner(call: Call) -> tuple[str, int, str] | None:
    """Whose key a call carries, and which; None if it carries none."""
    match call:
        case Create(user, _, str(key)):
            return "user", user, key
        case Pay(order, str(key)) | Cancel(order, str(key)):
            return "order", order, key
        case _:
            return None


def kind(call: Call, answer: Answer) -> str:
    """How to count them: the words of both, and what is special about the answer."""
    match answer:
        case Refused(name):
            said = name
        case Done(replayed=True) | Placed(replayed=True):
            said = f"{type(answer).__name__} again"
        case Placed(short=short) if short:
            said = "Placed short"
        case _:
            said = type(answer).__name__
    return f"{type(call).__name__} {said}"
