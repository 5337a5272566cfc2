"""Lost? Doubled? Out of order? Reads every witness of a window and judges order by order.

The order of reading matters on a platform that runs: first what was committed, in one snapshot, then the places it
must have come to since; what is only seconds old is waited for. Facts go through a spool, so that memory stays flat.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from verification.case import Circumstances
from verification.incarnations import Incarnations
from verification.judging import Judging
from verification.report import Findings, Report, Tallies
from verification.spool import Spool
from verification.tail import Tail
from verification.verdicts.repeats import REACH_DEFAULT, decide_the_rest
from verification.witnesses.acceptance_log import AcceptanceLog
from verification.witnesses.committed import committed_offsets
from verification.witnesses.ledger import Ledger
from verification.witnesses.orders_database import OrdersDatabase
from verification.witnesses.producers import batch_writers
from verification.witnesses.topic import topic_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from verification.repeats import Repeats
    from verification.spool import Story
    from verification.witnesses.orders_database import Snapshot

EVERYTHING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""As `since`: the whole of what is kept."""
SETTLE_SECONDS_DEFAULT: Final = 10.0
CLOCKS_DIFFER_DEFAULT: Final = timedelta(minutes=1)
"""How far the clocks of two machines may differ: later witnesses are read from that much earlier."""
_ORDERS_ASKED_AT_ONCE: Final = 1_000
NO_AUDIT_TRIGGER: Final = (
    "audit trigger: only databases of tests have one; the outbox was held against the orders' own versions"
)
NO_ACCEPTANCE_LOG: Final = "telegram: a real bot keeps no log for others; deliveries are as the ledger says"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the witnesses are. `telegram_url` is the stand-in's; None when a real bot is used.

    `consumer` is the name the inbox keeps its books under, `group` the one it commits offsets to Kafka under.
    """

    orders_dsn: str = field(repr=False)
    notification_dsn: str = field(repr=False)
    bootstrap_servers: str
    telegram_url: str | None
    topic: str
    consumer: str = "notification"
    group: str = "notification"


async def reconcile(
    places: Places,
    *,
    since: datetime | timedelta,
    settle_seconds: float = SETTLE_SECONDS_DEFAULT,
    clocks_differ: timedelta = CLOCKS_DIFFER_DEFAULT,
    repeats_reach: timedelta = REACH_DEFAULT,
    told: Callable[[str], None] = lambda _: None,
) -> Report:
    """Check a window that ends now and began at `since` (a moment, or how long ago by the database's clock).

    Reads only. Takes as long as reading the window takes, and at most `settle_seconds` more for each witness that is
    behind. Records may come again from as far back as `repeats_reach` when the relay changes hands. `told` hears which
    witness is being read. Raises WitnessAway when one that should answer does not.
    """
    started = time.monotonic()
    reading = _Reading(places, settle_seconds=settle_seconds, clocks_differ=clocks_differ, told=told)
    with Spool() as spool:
        window, circumstances = await reading.read(spool, since, repeats_reach)
        told("judging")
        with Judging(circumstances, tallies=reading.tallies, findings=reading.findings) as judging:
            for stories in spool.stories():
                await reading.resolve(stories)
                judging.judge(stories.values())
            judging.judge_the_log()
            await reading.ask_about(judging.repeats, circumstances)
    return Report(
        since=window[0],
        until=window[1],
        tallies=reading.tallies,
        findings=reading.findings.sorted(),
        counts=dict(reading.findings.counts),
        telegram_asked=places.telegram_url is not None,
        repeats=dict(judging.repeats.causes),
        lacking=list(_lacking(circumstances)),
        seconds=time.monotonic() - started,
    )


def _lacking(circumstances: Circumstances) -> Iterable[str]:
    if circumstances.audited_since is None:
        yield NO_AUDIT_TRIGGER
    if not circumstances.telegram_asked:
        yield NO_ACCEPTANCE_LOG


class _Reading:
    """The witnesses, asked in the order a change passes them."""

    def __init__(
        self, places: Places, *, settle_seconds: float, clocks_differ: timedelta, told: Callable[[str], None]
    ) -> None:
        self._places = places
        self._clocks_differ = clocks_differ
        self._settle_seconds = settle_seconds
        self._told = told
        self._orders = OrdersDatabase(dsn=places.orders_dsn, topic=places.topic)
        self._ledger = Ledger(dsn=places.notification_dsn, topic=places.topic, consumer=places.consumer)
        self._senders = Incarnations()
        self._audited = False
        self.findings = Findings()
        self.tallies = Tallies()

    async def read(
        self, spool: Spool, since: datetime | timedelta, repeats_reach: timedelta
    ) -> tuple[tuple[datetime, datetime], Circumstances]:
        """Spool all facts; give the window and what judging needs beside them."""
        self._told("outbox")
        async with self._orders.snapshot() as snapshot:
            begin = snapshot.now - since if isinstance(since, timedelta) else since
            tail = Tail(since=snapshot.now.timestamp() - self._settle_seconds)
            audited_since = await self._read_orders(snapshot, begin, spool, tail)
            kept = await snapshot.kept()
        earlier = begin if begin == EVERYTHING else begin - self._clocks_differ
        partitions = await self._read_topic(spool, tail, earlier)
        await self._ledger.wait_for(tail, seconds=self._settle_seconds)
        committed, positions = await self._read_positions(partitions)
        await self._read_effects(spool, earlier)
        return (begin, snapshot.now), Circumstances(
            partitions=partitions,
            positions=positions,
            committed=committed,
            decisions=await self._ledger.decisions(),
            senders=self._senders,
            repeats_reach=repeats_reach,
            operator_moved=await self._orders.operator_moved(earlier),
            audited_since=audited_since,
            judged_since=kept.judged_since,
            telegram_asked=self._places.telegram_url is not None,
        )

    async def resolve(self, stories: Mapping[int, Story]) -> None:
        """Fetch what a fact of the window points to outside of it, so that nothing old is taken for invented."""
        for orders in _portions(_with_unknown_calls(stories.values())):
            for noted in await self._ledger.rows_of(orders):
                story = stories[noted.order_id]
                if all(noted.version != known.version for known in story.noted):
                    story.add(noted)
        for orders in _portions(_with_unknown_events(stories.values())):
            for row in await self._orders.rows_of(orders):
                story = stories[row.order_id]
                if all(row.event_id != known.event_id for known in story.committed):
                    story.add(row)
        for orders in _portions(_with_unpaired_changes(stories.values(), audited=self._audited)):
            for change in await self._orders.audit_of(orders):
                story = stories[change.order_id]
                if all(change.version != known.version for known in story.audited):
                    story.add(change)

    async def ask_about(self, repeats: Repeats, circumstances: Circumstances) -> None:
        """Decide about the records that came again; the log is asked who wrote them only if there is need."""
        if not repeats.to_ask and not repeats.overlaps:
            return
        self._told("repeats")
        places = self._places
        async with batch_writers(bootstrap_servers=places.bootstrap_servers, topic=places.topic) as writers:
            await decide_the_rest(
                repeats,
                writers,
                senders=circumstances.senders,
                reach=circumstances.repeats_reach,
                findings=self.findings,
            )

    async def _read_orders(self, snapshot: Snapshot, since: datetime, spool: Spool, tail: Tail) -> float | None:
        """Read the outbox, the orders and what the audit trigger saw; give since when there is one."""
        await snapshot.read_rows(since, spool, tail, findings=self.findings, tallies=self.tallies)
        await snapshot.read_orders(since, spool)
        audited_since = await snapshot.audited_since()
        self._audited = audited_since is not None
        if self._audited:
            self._told("audit trigger")
            await snapshot.read_audit(since, spool, findings=self.findings)
        return audited_since

    async def _read_topic(self, spool: Spool, tail: Tail, since: datetime) -> int:
        self._told("kafka")
        places = self._places
        async with topic_reader(bootstrap_servers=places.bootstrap_servers, topic=places.topic) as reader:
            await reader.seek(since.timestamp())
            await reader.read(
                spool,
                tail,
                wait_seconds=self._settle_seconds,
                senders=self._senders,
                findings=self.findings,
                tallies=self.tallies,
            )
            return reader.partitions

    async def _read_positions(self, partitions: int) -> tuple[dict[int, int], dict[int, int]]:
        """Read how far the consumer says it has come, in Kafka and in its tables, before its effects are read.

        So what it does meanwhile is not taken for skipped.
        """
        places = self._places
        committed = await committed_offsets(
            bootstrap_servers=places.bootstrap_servers, group=places.group, topic=places.topic, partitions=partitions
        )
        return committed, await self._ledger.positions()

    async def _read_effects(self, spool: Spool, since: datetime) -> None:
        self._told("notification")
        await self._ledger.read(since, spool)
        if self._places.telegram_url is not None:
            self._told("telegram")
            await AcceptanceLog(url=self._places.telegram_url).read(since, spool)


def _with_unknown_calls(stories: Iterable[Story]) -> list[int]:
    return [
        story.order_id
        for story in stories
        if {call.version for call in story.accepted} - {noted.version for noted in story.noted}
    ]


def _with_unknown_events(stories: Iterable[Story]) -> list[int]:
    found = []
    for story in stories:
        known = {row.event_id for row in story.committed}
        published = {record.event_id for record in story.published}
        rowless = {change.version for change in story.audited} - {row.version for row in story.committed}
        if rowless or (published | {noted.event_id for noted in story.noted}) - known:
            found.append(story.order_id)
    return found


def _with_unpaired_changes(stories: Iterable[Story], *, audited: bool) -> list[int]:
    if not audited:
        return []
    return [
        story.order_id
        for story in stories
        if {row.version for row in story.committed if row.inside} - {change.version for change in story.audited}
    ]


def _portions(order_ids: list[int]) -> Iterable[list[int]]:
    for start in range(0, len(order_ids), _ORDERS_ASKED_AT_ONCE):
        yield order_ids[start : start + _ORDERS_ASKED_AT_ONCE]
