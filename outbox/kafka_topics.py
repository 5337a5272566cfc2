"""What the relay must know about the broker's topics, asked of the broker itself."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from outbox import errors
from outbox.message import TopicRule

_log = logging.getLogger(__name__)

_ADMIN_SECONDS_MAX = 5.0
_LIMIT = "max.message.bytes"


class Topics:
    """Checks topics against their rules; the limits once, existence whenever a producer is new.

    Args:
        rules: of the topics to check.
        options: of the aiokafka clients.
        missing_seconds: how long a topic that was there must be missing to be believed gone.
    """

    def __init__(self, rules: Sequence[TopicRule], options: Mapping[str, Any], *, missing_seconds: float) -> None:
        self._rules = rules
        self._missing_seconds = missing_seconds
        self._options = options
        self._limits_checked = False
        self._known: set[str] = set()
        self._missing_since: dict[str, float] = {}

    async def check(self, producer: AIOKafkaProducer) -> None:
        """Look at every topic.

        Raises:
            TopicUnusable: one is missing, forbidden, or takes less than its rule says.
            KafkaError, OSError, TimeoutError: the broker is away.
        """
        for rule in self._rules:
            await self.partitions(producer, rule.name)
        if not self._limits_checked:
            async with asyncio.timeout(_ADMIN_SECONDS_MAX):
                await self._check_limits()
            self._limits_checked = True

    async def partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        """How many partitions the topic has.

        Raises:
            TopicUnusable: the brokers answer and do not have it, or this client may not see it.
        """
        try:
            count = len(await producer.partitions_for(topic))
        except kafka_errors.TopicAuthorizationFailedError as cause:
            raise errors.TopicUnusable(topic, "no right to describe it") from cause
        except kafka_errors.InvalidTopicError as cause:
            raise errors.TopicUnusable(topic, "no topic can have that name; `void` its events") from cause
        except kafka_errors.UnknownTopicOrPartitionError as cause:
            await self._refuse_missing(producer, topic, cause)
            raise
        self._known.add(topic)
        self._missing_since.pop(topic, None)
        return count

    async def _refuse_missing(self, producer: AIOKafkaProducer, topic: str, cause: BaseException) -> None:
        """A topic that was there may seem missing while a broker comes back: believed only after a while."""
        metadata = await producer.client.fetch_all_metadata()
        since = self._missing_since.setdefault(topic, time.monotonic())
        waited_enough = topic not in self._known or time.monotonic() - since >= self._missing_seconds
        if waited_enough and not metadata.partitions_for_topic(topic):
            raise errors.TopicUnusable(
                topic, "the broker does not have it; create it, or `void` its events, then start the relay"
            ) from cause

    async def _check_limits(self) -> None:
        limits = await read_configs(self._options, [rule.name for rule in self._rules])
        for rule in self._rules:
            limit = limits.get(rule.name, {}).get(_LIMIT)
            if limit is None:
                _log.warning("relay.topic_limit_unknown", extra={"topic": rule.name})
            elif int(limit) < rule.max_bytes:
                raise errors.TopicUnusable(
                    rule.name, f"its max.message.bytes is {limit}, append lets {rule.max_bytes} pass; raise the former"
                )


async def read_configs(options: Mapping[str, Any], topics: Sequence[str]) -> dict[str, dict[str, str]]:
    """The configuration of each topic, by name; a topic the broker refuses to describe is left out."""
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    finally:
        await admin.close()
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for error, _, _, name, entries in answer.resources
        if error == 0
    }
