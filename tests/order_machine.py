"""LOMS against its model: any story of calls, several at the same time, over a real database.

Hypothesis runs in a thread of its own; the calls run in the test's event loop, where the pools live.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from services.loms.domain.errors import Refusal
from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.order import Status
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.expirer import Expirer
from services.loms.service.listing import Filter, ListingService
from tests import order_calls as calls
from tests import order_model as model
from tests.loms_fixtures import Platform, items
from tests.order_judge import broken_promises

T = TypeVar("T")

STOCKS = {1148162: (9, 0), 2618151: (6, 0), 2958025: (3, 0), 1002: (12, 4), 139818428: (2, 3)}
"""A few pieces of each, so that there is always something to fight for; one with pieces reserved from the start, and
the row with more reserved than there is."""
UNKNOWN = 999

UNPAID = timedelta(minutes=30)
OVERDUE_MAX = 4
"""Orders overdue at a time: each may expire at any moment beside the calls, and the model tries all of them."""

RESET = """
delete from outbox; delete from idempotency_keys; delete from order_items; delete from orders;
delete from audit.orders; delete from audit.stocks;
"""
SET_STOCK = "update stocks set total = $2, reserved = $3 where sku = $1"
FORGET_SETTING_STOCK = "delete from audit.stocks"
LET_TIME_PASS = "update orders set changed_at = changed_at - interval '1 hour' where order_id = any ($1::bigint[])"

SKUS = st.sampled_from([*STOCKS, *STOCKS, UNKNOWN])
USERS = st.integers(1, 2)
KEYS = st.sampled_from([None, None, "a", "b"])
NTH = st.integers(-1, 6)
"""An order: those that await payment come first, the newest first; -1 is the next one, which may come into being at the
same time."""

CREATES = st.builds(
    calls.Create,
    user=USERS,
    lines=st.lists(st.tuples(SKUS, st.integers(1, 3)), min_size=1, max_size=3).map(tuple),
    key=KEYS,
)
PAYS, CANCELS = st.builds(calls.Pay, NTH, KEYS), st.builds(calls.Cancel, NTH, KEYS)
CALLS = st.one_of(
    CREATES,
    CREATES,
    PAYS,
    CANCELS,
    CANCELS,
    st.builds(calls.Info, NTH),
    st.just(calls.Expire()),
    st.builds(calls.List, st.none() | USERS, st.sampled_from([None, *(status.value for status in Status)])),
    st.builds(calls.Available, SKUS),
)


@dataclass(slots=True)
class Stage:
    """What a machine plays on; `replicas` are expirers that take turns."""

    platform: Platform
    listing: ListingService
    replicas: Sequence[Expirer]
    loop: asyncio.AbstractEventLoop
    steps: int = 0
    stories: int = 0
    expired: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it in the test's loop, from the machine's thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    async def reset(self) -> None:
        """Empty the database, but for the stock of the story."""
        eye = self.platform.eye
        await eye.execute(RESET)
        await eye.executemany(SET_STOCK, [(sku, *held) for sku, held in STOCKS.items()])
        await eye.execute(FORGET_SETTING_STOCK)

    async def ask(self, asked: Sequence[calls.Call]) -> list[tuple[calls.Call, calls.Answer]]:
        """Make all calls at once."""
        answers = await asyncio.gather(*map(self._answer, asked))
        return list(zip(asked, answers, strict=True))

    async def observed(self) -> model.Observed:
        """Look at the database."""
        orders = await self.platform.eye.fetch("select order_id, user_id, status, version from orders")
        stocks = await self.platform.eye.fetch("select * from stocks where sku = any ($1::bigint[])", list(STOCKS))
        return model.Observed(
            {row["order_id"]: (row["user_id"], row["status"], row["version"]) for row in orders},
            {row["sku"]: (row["total"], row["reserved"]) for row in stocks},
        )

    async def _answer(self, call: calls.Call) -> calls.Answer:
        try:
            return await self._made(call)
        except Refusal as refusal:
            return calls.Refused(type(refusal).__name__)

    async def _made(self, call: calls.Call) -> calls.Answer:
        orders = self.platform.orders
        match call:
            case calls.Create(user, lines):
                placed = await orders.create(UserId(user), items(*lines), _attempt(call))
                return calls.Placed(placed.order_id, tuple(placed.short), placed.replayed)
            case calls.Pay(number):
                return _done(await orders.pay(OrderId(number), _attempt(call)))
            case calls.Cancel(number):
                return _done(await orders.cancel(OrderId(number), _attempt(call)))
            case calls.Expire():
                self.replicas = [*self.replicas[1:], self.replicas[0]]
                await self.replicas[0].turn()
                return calls.Done()
            case _:
                return await self._read(call)

    async def _read(self, call: calls.Call) -> calls.Answer:
        match call:
            case calls.Info(number):
                order = await self.platform.orders.info(OrderId(number))
                return calls.Shown(order.user_id, order.status, tuple((item.sku, item.count) for item in order.items))
            case calls.List(user, status):
                wanted = Filter(user_id=UserId(user) if user else None, status=Status(status) if status else None)
                page = await self.listing.page(wanted, below=None, size=model.PAGE)
                listed = tuple((int(order.id), str(order.status)) for order in page.orders)
                return calls.Listed(listed, page.next_below is not None)
            case calls.Available(sku):
                return calls.Pieces(await self.platform.stocks.available(Sku(sku)))
        raise AssertionError(call)


class OrderMachine(RuleBasedStateMachine):
    """One story: batches of calls at the same time; after each the model explains what happened."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage
        self._state = model.State({sku: model.Stock(*held) for sku, held in STOCKS.items()})

    @initialize()
    def begin(self) -> None:
        self._stage.stories += 1
        self._stage.wait_for(self._stage.reset())

    @rule(late=st.lists(st.integers(0, 5), max_size=2), drafts=st.lists(CALLS, min_size=2, max_size=6))
    def calls_at_once(self, late: list[int], drafts: list[calls.Call]) -> None:
        """The time of some orders is up; then these calls run at the same time."""
        self._let_time_pass(late)
        self._play(drafts)

    @rule(nth=st.integers(0, 1), wanted=st.lists(st.integers(1, 3), min_size=3, max_size=6))
    def a_rush(self, nth: int, wanted: list[int]) -> None:
        """Many want the same few pieces at the same time: of the sku that has most left, or second most."""
        sku = sorted(STOCKS, key=lambda sku: -self._state.stocks[sku].available)[nth]
        self._play([calls.Create(user, ((sku, count),)) for user, count in enumerate(wanted, start=1)])

    @rule(call=st.one_of(CREATES, PAYS, CANCELS), key=st.integers(0, 9).map(str), times=st.integers(2, 4))
    def an_impatient_caller(self, call: calls.Write, key: str, times: int) -> None:
        """The same request under the same key, several times at once."""
        match call:
            case calls.Create(user, lines):
                self._play([calls.Create(user, lines, key)] * times)
            case calls.Pay(nth) | calls.Cancel(nth):
                self._play([type(call)(nth, key)] * times)

    @rule(nth=NTH, key=st.integers(0, 9).map(str), drafts=st.lists(CALLS, max_size=2))
    def an_undecided_caller(self, nth: int, key: str, drafts: list[calls.Call]) -> None:
        """Paying and cancelling an order under the same key, beside others."""
        self._play([calls.Pay(nth, key), calls.Cancel(nth, key), *drafts])

    def teardown(self) -> None:
        broken = self._stage.wait_for(broken_promises(self._stage.platform, STOCKS))
        self._stage.broken += broken
        assert not broken, broken

    def _play(self, drafts: Sequence[calls.Call]) -> None:
        overdue = len(self._state.overdue())

        answers = self._stage.wait_for(self._stage.ask([self._addressed(draft) for draft in drafts]))
        after = self._stage.wait_for(self._stage.observed())

        state = model.explained(self._state, answers, after)
        assert state is not None, f"no order of these calls explains their answers:\n{self._state}\n{answers}\n{after}"
        self._stage.steps += 1
        self._stage.kinds.update(calls.kind(call, answer) for call, answer in answers)
        self._stage.expired += overdue - len(state.overdue())
        self._state = state

    def _let_time_pass(self, late: Sequence[int]) -> None:
        awaiting = [number for number, order in self._state.orders.items() if order.status == model.AWAITING]
        aged = [awaiting[-1 - nth] for nth in late if nth < len(awaiting)]
        if aged and len(self._state.overdue()) < OVERDUE_MAX:
            self._stage.wait_for(self._stage.platform.eye.execute(LET_TIME_PASS, aged))
            self._state = self._state.aged(aged)

    def _addressed(self, draft: calls.Call) -> calls.Call:
        """Turn which order it means into that order's id."""
        match draft:
            case calls.Pay(nth, key) | calls.Cancel(nth, key):
                return type(draft)(self._nth(nth), key)
            case calls.Info(nth):
                return calls.Info(self._nth(nth))
            case _:
                return draft

    def _nth(self, nth: int) -> int:
        orders = self._state.orders
        known = sorted(orders, key=lambda number: (orders[number].status == model.AWAITING, number), reverse=True)
        return known[nth] if 0 <= nth < len(known) else max(known, default=0) + 1


def _attempt(call: calls.Write) -> Attempt | None:
    """The body of a call is the call itself."""
    match calls.owner(call):
        case ("user" | "order" as scope, owner, key):
            return Attempt(scope, owner, key, repr(call).encode())
        case _:
            return None


def _done(answer: Answer) -> calls.Done:
    return calls.Done(answer.replayed)
