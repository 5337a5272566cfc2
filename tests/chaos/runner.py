"""A run: let the scene work, strike it by the schedule, let it come to rest, judge it."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.crew import EndedByItself
from tests.chaos.faults import Fault, NoTrace
from tests.chaos.judge import judge
from tests.chaos.judgement import Judgement
from tests.chaos.scene import Scene
from tests.chaos.schedule import Step
from tests.waiting import eventually, for_the_length_of_a_fault

ORDERS_MIN = 1_000
PATIENCE_SECONDS = 120.0
CONTROL_PATIENCE_SECONDS = 20.0
"""What a planted mistake has lost never comes."""

_TELLING_SECONDS = 2.0
_UNDER_WAY = 100
_AUDITED = "select count(*) from order_audit"
_PLACED = "select count(*) from orders"


@dataclass(slots=True)
class Outcome:
    """What came of a run: the judge's word, the faults that left a trace, and why it may count for nothing."""

    faults: int = 0
    voids: list[str] = field(default_factory=list)
    stuck: str = ""
    judgement: Judgement = field(default_factory=Judgement)
    slowest_seconds: float = 0.0

    @property
    def void(self) -> bool:
        """Whether the run proves nothing."""
        return bool(self.voids)

    @property
    def green(self) -> bool:
        """Whether every promise was kept and the run counts."""
        return self.judgement.clean and not self.void and not self.stuck

    def __str__(self) -> str:
        found = self.judgement
        return (
            f"chaos: orders {found.orders} faults {self.faults} lost {found.lost} inverted {found.inverted} "
            f"doubled {found.doubled} uncertain {found.uncertain} void {'yes' if self.void else 'no'}"
        )


class Run:
    """One run over a scene that is at work.

    `patience_seconds`: who has not caught up so long after a fault never will. `tell` hears the progress.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        tell: Callable[[str], None],
        orders_min: int = ORDERS_MIN,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._scene = scene
        self._tell = tell
        self._orders_min = orders_min
        self._patience_seconds = patience_seconds
        self._began = time.monotonic()
        self._outcome = Outcome()

    async def play(self, schedule: Iterable[Step], *, until: float = float("inf")) -> Outcome:
        """Strike until the schedule or the time (a monotonic moment) ends; then rest and judge."""
        try:
            await self._under_way()
            for step in schedule:
                if time.monotonic() >= until:
                    break
                await self._strike(step)
            await self._enough_orders()
            await self._scene.come_to_rest(within=self._patience_seconds)
        except (EndedByItself, AssertionError) as stuck:
            self._outcome.stuck = str(stuck)
            self._say(f"STUCK: {stuck}")
            await self._ask_what_waits()
            self._scene.crew.kill_all()
        await self._judge()
        return self._outcome

    async def _under_way(self) -> None:
        """Faults begin when everybody is at work."""
        await eventually(lambda: self._reached(_AUDITED, _UNDER_WAY), within=self._patience_seconds, every=0.1)
        await self._scene.caught_up(within=self._patience_seconds)

    async def _strike(self, step: Step) -> None:
        await for_the_length_of_a_fault(step.pause_seconds)
        traces = await _together([self._one(step, fault) for fault in step.faults])
        struck_at = time.monotonic()
        self._scene.crew.check()
        await self._scene.caught_up(within=self._patience_seconds)
        seconds = time.monotonic() - struck_at
        self._outcome.slowest_seconds = max(self._outcome.slowest_seconds, seconds)
        changes = await self._scene.shop.ask(_AUDITED)
        self._say(f"#{step.number} {'; '.join(traces)}; caught up in {seconds:.1f} s; {changes} changes")

    async def _one(self, step: Step, fault: Fault) -> str:
        try:
            trace = await fault.strike(self._scene, random.Random(f"{step.seed}/{fault.name}"))
        except NoTrace as missing:
            self._outcome.voids.append(f"{fault.name}: {missing}")
            await self._ask_what_waits()
            return f"{fault.name} LEFT NO TRACE: {missing}"
        self._outcome.faults += 1
        return f"{fault.name}: {trace}"

    async def _ask_what_waits(self) -> None:
        """Whoever stands still says where, into its log, before anything is done to it."""
        self._scene.crew.tell_what_waits()
        await for_the_length_of_a_fault(_TELLING_SECONDS)

    async def _enough_orders(self) -> None:
        """A short schedule may be over before enough orders were placed: give the clients the time."""
        wanted = self._orders_min + self._orders_min // 10
        await eventually(lambda: self._reached(_PLACED, wanted), within=self._patience_seconds, every=0.5)

    async def _reached(self, question: str, wanted: int) -> bool:
        self._scene.crew.check()
        return bool(await self._scene.shop.ask(question) >= wanted)

    async def _judge(self) -> None:
        witnesses = await self._scene.witnesses()
        found = self._outcome.judgement = await asyncio.to_thread(judge, witnesses)
        if found.orders < self._orders_min:
            self._outcome.voids.append(f"only {found.orders} orders succeeded")
        self._say(f"{found.changes} changes, {found.repeats} records came again and were absorbed")
        for finding in found.findings[:20]:
            self._say(str(finding))
        for void in self._outcome.voids:
            self._say(f"void: {void}")

    def _say(self, text: str) -> None:
        self._tell(f"[{time.monotonic() - self._began:7.1f} s] {text}")


async def _together(strikes: Sequence[Coroutine[Any, Any, str]]) -> list[str]:
    """All side by side; when one fails the others are taken back."""
    tasks = [asyncio.ensure_future(strike) for strike in strikes]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
