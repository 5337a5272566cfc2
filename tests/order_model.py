"""A model of LOMS: may calls that ran at the same time have answered so, and left the database so?

They may if there is some order in which the model, one call after another, gives every answer and ends in what the
database shows. An expirer is not one step but one for each order it cancels, at any moment among the others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.order_calls import (
    ILLEGAL,
    IN_PROGRESS,
    NOT_FOUND,
    REUSED,
    Answer,
    Available,
    Call,
    Cancel,
    Create,
    Done,
    Expire,
    Expired,
    Info,
    Lines,
    List,
    Listed,
    Pay,
    Pieces,
    Placed,
    Refused,
    Shown,
    Write,
    owner,
)

AWAITING, FAILED, PAID, CANCELLED = "awaiting payment", "failed", "paid", "cancelled"
PAGE = 20


@dataclass(frozen=True, slots=True)
class Order:
    user: int
    items: Lines
    status: str
    version: int = 2
    overdue: bool = False

    def moved(self, status: str) -> "Order":
        return replace(self, status=status, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class Stock:
    total: int
    reserved: int

    @property
    def available(self) -> int:
        return max(self.total - self.reserved, 0)


@dataclass(frozen=True, slots=True)
class Observed:
    """What the database shows: (user, status, version) by order, (total, reserved) by sku."""

    orders: Mapping[int, tuple[int, str, int]]
    stocks: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class State:
    """What there is; never changed, only replaced. `keys` has the call and the answer a key was first used for."""

    stocks: Mapping[int, Stock]
    orders: Mapping[int, Order] = field(default_factory=dict)
    keys: Mapping[tuple[str, int, str], tuple[Write, Done | Placed]] = field(default_factory=dict)

    def shows(self) -> Observed:
        """What an eye on the database sees of it."""
        orders = {number: (order.user, order.status, order.version) for number, order in self.orders.items()}
        return Observed(orders, {sku: (stock.total, stock.reserved) for sku, stock in self.stocks.items()})

    def aged(self, orders: Sequence[int]) -> "State":
        """Let the time of these be up."""
        return self._with({number: replace(self.orders[number], overdue=True) for number in orders})

    def overdue(self) -> list[int]:
        return [number for number, order in self.orders.items() if order.overdue and order.status == AWAITING]

    def after(self, call: Call, answer: Answer) -> "State | None":
        """The state after a call, None if from this state it cannot answer so."""
        match call:
            case Create() | Pay() | Cancel():
                return self._written(call, answer)
            case Expired(number):
                return self._expired(number)
            case _:
                return self if answer == self._read(call) else None

    def _written(self, call: Write, answer: Answer) -> "State | None":
        if not isinstance(call, Create) and call.order not in self.orders:
            return self if answer == NOT_FOUND else None
        key = owner(call)
        if key is not None and key in self.keys:
            asked, first = self.keys[key]
            return self if answer == (replace(first, replayed=True) if asked == call else REUSED) else None
        after = self._created(call, answer) if isinstance(call, Create) else self._moved(call, answer)
        if after is None or key is None or not isinstance(answer, Done | Placed):
            return after
        return replace(after, keys={**self.keys, key: (call, answer)})

    def _created(self, call: Create, answer: Answer) -> "State | None":
        items = summed(call.lines)
        short = tuple(sku for sku, count in items if sku not in self.stocks or self.stocks[sku].available < count)
        if not isinstance(answer, Placed) or answer.order in self.orders or answer != Placed(answer.order, short):
            return None
        order = Order(call.user, items, FAILED if short else AWAITING)
        return self._with({answer.order: order}, reserved=1, items=() if short else items)

    def _moved(self, call: Pay | Cancel, answer: Answer) -> "State | None":
        wanted = PAID if isinstance(call, Pay) else CANCELLED
        order = self.orders[call.order]
        if answer != (Done() if order.status in {AWAITING, wanted} else ILLEGAL):
            return None
        if order.status != AWAITING:
            return self
        total = -1 if wanted == PAID else 0
        return self._with({call.order: order.moved(wanted)}, reserved=-1, total=total, items=order.items)

    def _expired(self, number: int) -> "State | None":
        order = self.orders[number]
        if order.status != AWAITING:
            return None
        return self._with({number: order.moved(CANCELLED)}, reserved=-1, items=order.items)

    def _read(self, call: Call) -> Answer:
        match call:
            case Info(number) if number in self.orders:
                order = self.orders[number]
                return Shown(order.user, order.status, order.items)
            case Available(sku) if sku in self.stocks:
                return Pieces(self.stocks[sku].available)
            case List(user, status):
                fitting = [
                    (number, order.status)
                    for number, order in sorted(self.orders.items(), reverse=True)
                    if user in {None, order.user} and status in {None, order.status}
                ]
                return Listed(tuple(fitting[:PAGE]), len(fitting) > PAGE)
            case Available():
                return Refused("SkuNotFound")
            case _:
                return NOT_FOUND

    def _with(self, orders: Mapping[int, Order], *, reserved: int = 0, total: int = 0, items: Lines = ()) -> "State":
        """Replace orders, and stock by so many times the items."""
        stocks = dict(self.stocks)
        for sku, count in items:
            stock = stocks[sku]
            stocks[sku] = Stock(stock.total + total * count, stock.reserved + reserved * count)
        return replace(self, stocks=stocks, orders={**self.orders, **orders})


def summed(lines: Lines) -> Lines:
    counts: Counter[int] = Counter()
    for sku, count in lines:
        counts[sku] += count
    return tuple(sorted(counts.items()))


def explained(before: State, answers: Sequence[tuple[Call, Answer]], after: Observed) -> State | None:
    """The state that calls at the same time led to; None if no order of them gives these answers and that database."""
    served = {owner(call) for call, answer in answers if answer != IN_PROGRESS}
    if any(answer == IN_PROGRESS and (owner(call) is None or owner(call) not in served) for call, answer in answers):
        return None  # busy with a key that nobody else used
    overdue = before.overdue() if any(isinstance(call, Expire) for call, _ in answers) else []
    if any(after.orders[number][1] == AWAITING for number in overdue):
        return None  # an expirer was there, and left it
    steps: list[tuple[Call, Answer]] = [
        (call, answer) for call, answer in answers if answer != IN_PROGRESS and not isinstance(call, Expire)
    ]
    needed = frozenset(range(len(steps)))
    steps += [(Expired(number), Done()) for number in overdue if after.orders[number][1] == CANCELLED]
    return _Search(steps, needed, after).run(before)


class _Search:
    """Tries orders, depth first. Which steps are done decides the state, for their answers are given."""

    def __init__(self, steps: Sequence[tuple[Call, Answer]], needed: frozenset[int], after: Observed) -> None:
        self._steps = steps
        self._needed = needed
        self._after = after
        self._tried: set[frozenset[int]] = set()

    def run(self, before: State) -> State | None:
        return self._from(before, frozenset(range(len(self._steps))))

    def _from(self, state: State, left: frozenset[int]) -> State | None:
        if not left & self._needed and state.shows() == self._after:
            return state
        if left in self._tried:
            return None
        self._tried.add(left)
        for number in sorted(left):
            following = state.after(*self._steps[number])
            found = None if following is None else self._from(following, left - {number})
            if found is not None:
                return found
        return None
