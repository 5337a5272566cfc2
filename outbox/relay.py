"""The relay: from the outbox to Kafka, one active owner and any number of hot standbys.

Whatever passes by itself (the database or the broker restarts, another relay took over) is waited out here: the
session and everything read through it is dropped, and the relay stands by for the lease again. Only what needs a
person ends `run`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

from outbox import errors, metrics
from outbox.address import reached, understood
from outbox.backoff import Backoff
from outbox.cursor import Cursor
from outbox.ids import uuid7
from outbox.kafka import KafkaPublisher
from outbox.message import TopicRule
from outbox.publisher import Publisher
from outbox.session import TRANSIENT, Session
from outbox.settings import BadSetting, RelaySettings
from outbox.tenure import Tenure

_log = logging.getLogger(__name__)


class Relay:
    """Publishes what is appended, for ever.

    Args:
        dsn: the owner of the tables, a direct address.
        bootstrap_servers: Kafka, `host:port,…`.
        topics: the rules of every topic to publish to.
        publisher: instead of Kafka, in tests.
        sessions: opens the connection of a tenure, given the address and its `application_name`.
        new_owner: makes the id of a tenure.
        **settings: the fields of `RelaySettings`, within their bounds.
    """

    def __init__(
        self,
        *,
        dsn: str,
        bootstrap_servers: str,
        topics: Iterable[TopicRule],
        publisher: Publisher | None = None,
        sessions: Callable[[str, str], Awaitable[Session]] = Session.open,
        new_owner: Callable[[], UUID] = uuid7,
        **settings: Any,
    ) -> None:
        self._settings = RelaySettings(dsn=dsn, bootstrap_servers=bootstrap_servers, topics=tuple(topics), **settings)
        self._publisher = publisher or _kafka_publisher(self._settings)
        self._sessions = sessions
        self._new_owner = new_owner
        self._stopping = asyncio.Event()
        self._heard = asyncio.Event()
        self._owns = False

    @property
    def owns(self) -> bool:
        """Whether this relay holds the lease now."""
        return self._owns

    async def run(self) -> None:
        """Stand by, own, publish, until `stop`.

        Raises:
            errors.NeedsOperator: what no restart can help; the lease is returned.
        """
        backoff = Backoff(seconds_max=self._settings.backoff_seconds_max)
        try:
            while not self._stopping.is_set():
                try:
                    await self._serve(backoff)
                except errors.Fenced as lost:
                    metrics.FENCED.inc()
                    _log.warning("relay.fenced", extra={"epoch": lost.epoch})
                except (errors.NotPrimary, *TRANSIENT) as cause:
                    await self._wait_out(cause, backoff.failed())
        finally:
            await self._publisher.discard()

    def request_stop(self) -> None:
        """Ask `run` to end: the batch on its way is finished, the lease returned. Safe to repeat, and in a signal."""
        self._stopping.set()
        self._heard.set()

    async def stop(self) -> None:
        """As `request_stop`, for those who await what they stop."""
        self.request_stop()

    async def _serve(self, backoff: Backoff) -> None:
        """One session: stand by for the lease, then one tenure."""
        with reached(self._settings.dsn):
            session = await self._sessions(self._settings.dsn, f"outbox-relay {self._settings.instance} standby")
        try:
            with understood(self._settings.dsn):
                await session.execute("touch_tables")
                await session.listen(self._settings.channel, self._heard.set)
                cursor = await self._stand_by(session, backoff)
            if cursor is not None:
                await self._own(session, cursor, backoff)
        finally:
            await session.close()

    async def _stand_by(self, session: Session, backoff: Backoff) -> Cursor | None:
        """Try for the lease until it is ours; None when the relay stops first."""
        owner = self._new_owner()
        while not self._stopping.is_set():
            cursor = await Cursor.take(session, self._settings.name, owner)
            if cursor is not None:
                return cursor
            backoff.succeeded()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._settings.standby_seconds)
        return None

    async def _own(self, session: Session, cursor: Cursor, backoff: Backoff) -> None:
        self._began(cursor)
        tenure = self._tenure(session, cursor)
        try:
            await session.rename(f"outbox-relay {self._settings.instance} owner")
            await tenure.run()
        finally:
            if tenure.worked:
                backoff.succeeded()
            self._ended()
            await self._publisher.discard()
            with contextlib.suppress(*TRANSIENT):
                await cursor.release()

    def _tenure(self, session: Session, cursor: Cursor) -> Tenure:
        return Tenure(
            settings=self._settings,
            session=session,
            cursor=cursor,
            publisher=self._publisher,
            heard=self._heard,
            stopping=self._stopping,
        )

    def _began(self, cursor: Cursor) -> None:
        self._owns = True
        metrics.OWNER_CHANGES.inc()
        metrics.IS_OWNER.set(1)
        _log.info("relay.lease_taken", extra={"epoch": cursor.epoch, "history": cursor.history})

    def _ended(self) -> None:
        self._owns = False
        metrics.IS_OWNER.set(0)
        _log.info("relay.tenure_ended")

    async def _wait_out(self, cause: BaseException, seconds: float) -> None:
        _log.warning("relay.session_lost", extra={"cause": repr(cause), "retry_seconds": round(seconds, 3)})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _kafka_publisher(settings: RelaySettings) -> KafkaPublisher:
    if not settings.bootstrap_servers.strip():
        raise BadSetting("bootstrap_servers", settings.bootstrap_servers, "must name a broker, host:port,…")
    return KafkaPublisher(
        bootstrap_servers=settings.bootstrap_servers,
        topics=settings.topics,
        source=settings.source,
        client_id=f"outbox-{settings.instance}",
        publish_seconds_max=settings.publish_seconds_max,
        compression=settings.compression,
        client_options=settings.kafka_options,
    )
