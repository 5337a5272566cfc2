"""The catalogue becomes topics on a real broker, once."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from events.__main__ import main
from events.create import BrokersUnreachable, TopicRefused, TopicsDiffer, create_topics
from events.topics import Catalogue, catalogue
from stack.ports import free_port
from tests.given import SharedKafka, StartKafka


@pytest.fixture
async def admin(kafka: SharedKafka) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def prefix(admin: AIOKafkaAdminClient) -> AsyncIterator[str]:
    """A prefix of this test alone; the topics that carry it are deleted after the test."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    yield prefix
    made = [name for name in await admin.list_topics() if name.startswith(prefix)]
    if made:
        await admin.delete_topics(made)


async def test_the_topics_of_the_catalogue_exist_with_their_partitions(
    kafka: SharedKafka, admin: AIOKafkaAdminClient, prefix: str
) -> None:
    created = await create_topics(kafka.bootstrap, prefix=prefix)

    found = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics() if t["topic"].startswith(prefix)}
    assert sorted(created) == sorted(found)
    assert found == {f"{prefix}loms.order-events": 2, f"{prefix}loms.order-events.dead": 1}


async def test_a_topic_keeps_what_the_catalogue_promises(
    kafka: SharedKafka, admin: AIOKafkaAdminClient, prefix: str
) -> None:
    await create_topics(kafka.bootstrap, prefix=prefix)

    entries = await _settings(admin, f"{prefix}loms.order-events")
    assert entries["retention.ms"] == "2592000000"
    assert entries["max.message.bytes"] == "1048576"
    assert entries["cleanup.policy"] == "delete"
    assert entries["min.insync.replicas"] == "1"
    assert entries["unclean.leader.election.enable"] == "false"


async def test_creating_again_creates_nothing(kafka: SharedKafka, prefix: str) -> None:
    await create_topics(kafka.bootstrap, prefix=prefix)

    assert await create_topics(kafka.bootstrap, prefix=prefix) == []


async def test_two_creators_at_once_both_succeed_and_create_each_topic_once(kafka: SharedKafka, prefix: str) -> None:
    first, second = await asyncio.gather(
        create_topics(kafka.bootstrap, prefix=prefix), create_topics(kafka.bootstrap, prefix=prefix)
    )

    assert sorted(first + second) == [f"{prefix}loms.order-events", f"{prefix}loms.order-events.dead"]


async def test_another_number_of_partitions_is_reported_and_never_changed(
    kafka: SharedKafka, admin: AIOKafkaAdminClient, prefix: str
) -> None:
    await create_topics(kafka.bootstrap, prefix=prefix)
    wider = _catalogue_with(partitions=3)

    with pytest.raises(TopicsDiffer, match=rf"{prefix}loms\.order-events has 2 partitions, not 3"):
        await create_topics(kafka.bootstrap, prefix=prefix, topics=wider)

    found = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics()}
    assert found[f"{prefix}loms.order-events"] == 2


async def test_another_message_limit_is_reported(kafka: SharedKafka, prefix: str) -> None:
    await create_topics(kafka.bootstrap, prefix=prefix)
    smaller = _catalogue_with(max_message_bytes=65536)

    with pytest.raises(TopicsDiffer, match="takes messages of 1048576 bytes, not 65536"):
        await create_topics(kafka.bootstrap, prefix=prefix, topics=smaller)


async def test_more_copies_than_brokers_are_refused_by_name(kafka: SharedKafka, prefix: str) -> None:
    with pytest.raises(TopicRefused, match=r"refused topic .*loms\.order-events"):
        await create_topics(kafka.bootstrap, prefix=prefix, replication=3)


@pytest.mark.faults
async def test_in_a_cluster_of_three_a_topic_has_three_copies_of_which_two_must_be_in_sync(
    own_kafka: StartKafka,
) -> None:
    cluster = await asyncio.to_thread(own_kafka, 3)

    await create_topics(cluster.bootstrap)

    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    [found] = [t for t in await admin.describe_topics() if t["topic"] == "loms.order-events"]
    settings = await _settings(admin, "loms.order-events")
    await admin.close()
    assert [len(partition["replicas"]) for partition in found["partitions"]] == [3, 3]
    assert settings["min.insync.replicas"] == "2"


async def test_a_cluster_that_is_away_is_named() -> None:
    with pytest.raises(BrokersUnreachable, match="is Kafka running there"):
        await create_topics(f"127.0.0.1:{free_port()}", wait_seconds_max=0.1)


async def test_the_command_reports_a_difference_and_exits_with_3(
    kafka: SharedKafka, admin: AIOKafkaAdminClient, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await admin.create_topics([NewTopic(f"{prefix}loms.order-events", 5, 1)])

    code = await asyncio.to_thread(main, ["create", "--bootstrap", kafka.bootstrap, "--prefix", prefix])

    assert code == 3
    assert f"{prefix}loms.order-events has 5 partitions, not 2" in capsys.readouterr().err


async def test_the_command_reports_a_refusal_and_exits_with_1(
    kafka: SharedKafka, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["create", "--bootstrap", kafka.bootstrap, "--prefix", prefix, "--replication", "9"]

    assert await asyncio.to_thread(main, command) == 1

    assert f"the cluster refused topic {prefix}loms.order-events" in capsys.readouterr().err


async def test_the_command_says_what_it_created(
    kafka: SharedKafka, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["create", "--bootstrap", kafka.bootstrap, "--prefix", prefix]

    codes = [await asyncio.to_thread(main, command) for _ in range(2)]

    assert codes == [0, 0]
    assert capsys.readouterr().out.splitlines() == [
        f"created {prefix}loms.order-events",
        f"created {prefix}loms.order-events.dead",
        "every topic is there",
    ]


async def _settings(admin: AIOKafkaAdminClient, name: str) -> dict[str, str]:
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    return {e["config_names"]: e["config_value"] for e in answer.to_object()["resources"][0]["config_entries"]}


def _catalogue_with(**changes: int) -> Catalogue:
    """The platform's catalogue with its first topic changed."""
    first, *others = catalogue().topics
    return Catalogue(topics=(first.model_copy(update=changes), *others))
