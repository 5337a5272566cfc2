"""The process that reads: joins the group, gives every partition a lane of its own, and stops only for an operator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import asyncpg

from inbox.event import Event
from inbox.policy import Limits, TopicPolicy

Handler = Callable[[asyncpg.Connection, Sequence[Event]], Awaitable[None]]
"""Applies events inside the inbox's transaction; raises Reject for bad data; never commits."""


class Runner:
    """Applies the events of some topics exactly once in one database."""

    def __init__(
        self,
        *,
        consumer: str,
        topics: Sequence[TopicPolicy],
        handler: Handler,
        dsn: str,
        bootstrap_servers: str,
        group_id: str | None = None,
        instance_id: str | None = None,
        limits: Limits | None = None,
        kafka_options: Mapping[str, Any] | None = None,
    ) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Apply until stopped; raises only NeedsOperator."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask for a graceful end; `run` returns when the batches in hand are done."""
        raise NotImplementedError
