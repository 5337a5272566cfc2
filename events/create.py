"""Makes the topics of the catalogue on a cluster, once; what exists and agrees is left alone.

What exists and differs is reported, never changed: raising the partitions of a keyed topic would move its keys and lose
their order, and a setting somebody changed by hand was changed for a reason.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from events.topics import Catalogue, Topic, catalogue

REPLICATION_WANTED = 3

_REQUEST_SECONDS_MAX = 15.0
_PAUSE_SECONDS = 0.05


class BrokersUnreachable(Exception):
    """No broker answered within the bound."""

    def __init__(self, bootstrap: str, seconds: float) -> None:
        super().__init__(f"no broker at {bootstrap} answered within {seconds:.0f} s: is Kafka running there?")
        self.bootstrap = bootstrap


class TopicsDiffer(Exception):
    """Topics on the cluster are not as the catalogue says; `differences` holds a line for each."""

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__(
            "\n".join(["topics differ from events/topics.yaml, nothing was changed:", *(f"  {d}" for d in differences)])
        )
        self.differences = tuple(differences)


class TopicRefused(Exception):
    """The cluster did not create a topic."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"the cluster refused topic {name}: {reason}")
        self.name = name
        self.reason = reason


async def create_topics(
    bootstrap: str,
    *,
    replication: int | None = None,
    prefix: str = "",
    topics: Catalogue | None = None,
    wait_seconds_max: float = 30.0,
) -> list[str]:
    """Create the missing topics and return their names once each of their partitions has a leader.

    `replication` defaults to three, or to the number of brokers where there are fewer; from three on two replicas must
    be in sync. `prefix` is put before every name. Raises `TopicsDiffer` before anything is created, `TopicRefused`, and
    `BrokersUnreachable` after `wait_seconds_max`.
    """
    wanted = {f"{prefix}{topic.name}": topic for topic in (topics or catalogue()).topics}
    async with _admin(bootstrap, wait_seconds_max) as admin:
        copies = replication or min(REPLICATION_WANTED, await _broker_count(admin))
        existing = await _partition_counts(admin)
        await _refuse_differences(admin, wanted, existing)
        missing = {name: topic for name, topic in wanted.items() if name not in existing}
        created = await _create(admin, missing, copies)
        await _await_leaders(admin, wanted)
        await _refuse_differences(admin, wanted, await _partition_counts(admin))
    return created


def settings_of(topic: Topic, copies: int) -> dict[str, str]:
    """Return the broker's settings of a topic that has so many replicas."""
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(topic.max_message_bytes),
        "min.insync.replicas": "2" if copies >= REPLICATION_WANTED else "1",
        "retention.ms": str(topic.retention_ms),
        "unclean.leader.election.enable": "false",
    }


@asynccontextmanager
async def _admin(bootstrap: str, wait_seconds_max: float) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give an admin client, waiting for brokers that are coming up."""
    deadline = asyncio.get_running_loop().time() + wait_seconds_max
    while True:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=bootstrap,
            client_id="onelane-events",
            request_timeout_ms=int(_REQUEST_SECONDS_MAX * 1_000),
        )
        try:
            await admin.start()
            break
        except KafkaError as error:
            await admin.close()
            if asyncio.get_running_loop().time() > deadline:
                raise BrokersUnreachable(bootstrap, wait_seconds_max) from error
        await asyncio.sleep(_PAUSE_SECONDS)
    try:
        yield admin
    finally:
        await admin.close()


async def _broker_count(admin: AIOKafkaAdminClient) -> int:
    return len((await admin.describe_cluster())["brokers"])


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Return the partitions of every topic. Asks for all: asking for a name could create it on a lax broker."""
    return {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}


async def _refuse_differences(
    admin: AIOKafkaAdminClient, wanted: Mapping[str, Topic], existing: Mapping[str, int]
) -> None:
    differences = [
        f"{name} has {existing[name]} partitions, not {topic.partitions}"
        for name, topic in wanted.items()
        if existing.get(name, topic.partitions) != topic.partitions
    ]
    for name, found in (await _settings(admin, [name for name in wanted if name in existing])).items():
        limit = str(wanted[name].max_message_bytes)
        if found["max.message.bytes"] != limit:
            differences.append(f"{name} takes messages of {found['max.message.bytes']} bytes, not {limit}")
        if found["cleanup.policy"] != "delete":
            differences.append(f"{name} has cleanup.policy {found['cleanup.policy']}, not delete")
    if differences:
        raise TopicsDiffer(differences)


async def _settings(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    resources = [resource for answer in answers for resource in answer.to_object()["resources"]]
    return {resource["resource_name"]: _entries(resource) for resource in resources}


def _entries(resource: Mapping[str, Any]) -> dict[str, str]:
    return {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}


async def _create(admin: AIOKafkaAdminClient, missing: Mapping[str, Topic], copies: int) -> list[str]:
    if not missing:
        return []
    answer = await admin.create_topics(
        [
            NewTopic(name, topic.partitions, copies, topic_configs=settings_of(topic, copies))
            for name, topic in missing.items()
        ]
    )
    created = []
    for outcome in answer.to_object()["topic_errors"]:
        error = for_code(outcome["error_code"])
        if outcome["error_code"] == 0:
            created.append(outcome["topic"])
        elif error is not TopicAlreadyExistsError:  # another creator was faster: compared with the catalogue afterwards
            raise TopicRefused(outcome["topic"], outcome["error_message"] or error.__name__)
    return created


async def _await_leaders(admin: AIOKafkaAdminClient, wanted: Mapping[str, Topic]) -> None:
    async with asyncio.timeout(_REQUEST_SECONDS_MAX):
        while True:
            if await _all_led(admin, wanted):
                return
            await asyncio.sleep(_PAUSE_SECONDS)


async def _all_led(admin: AIOKafkaAdminClient, wanted: Mapping[str, Topic]) -> bool:
    led = {
        found["topic"]
        for found in await admin.describe_topics()
        if found["partitions"] and all(partition["leader"] >= 0 for partition in found["partitions"])
    }
    return wanted.keys() <= led
