"""A broker of our own: what it acknowledged is there after a kill."""

import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stack.errors import ClusterHasOtherSize, PortInUse, ServerFailed
from stack.ports import LOOPBACK, free_port, free_ports
from stack.servers import Kafka
from stack.servers.kafka_metadata import brokers_known_to
from tests.given import StartKafka


async def create(topic: str, bootstrap: str) -> None:
    """A topic of one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()


async def first_record(topic: str, bootstrap: str) -> object:
    """The oldest record of a topic."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    return record.value


async def test_an_acknowledged_record_survives_a_kill_even_if_the_ports_change(own_kafka: StartKafka) -> None:
    cluster = own_kafka()
    await create("orders", cluster.bootstrap)
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
        await producer.send_and_wait("orders", b"paid")

    cluster.kill()
    assert cluster.pids == {}

    with Kafka(cluster.folder, dies_with_parent=True) as elsewhere:
        assert elsewhere.bootstrap != cluster.bootstrap
        assert await first_record("orders", elsewhere.bootstrap) == b"paid"


def test_it_stops_when_asked_and_twice_is_once(own_kafka: StartKafka) -> None:
    cluster = own_kafka()
    pid = cluster.pid
    cluster.start()
    assert cluster.pid == pid

    cluster.stop()
    cluster.stop()

    assert cluster.pids == {}


def test_a_taken_port_is_refused_before_anything_runs(server_folder: Path) -> None:
    with socket.create_server((LOOPBACK, free_port())) as listener:
        port = listener.getsockname()[1]
        cluster = Kafka(server_folder / "kafka", ports=[port], port_setting="ONELANE_KAFKA_PORT")

        with pytest.raises(PortInUse, match="ONELANE_KAFKA_PORT"):
            cluster.start()

    assert cluster.pids == {}


def test_the_data_of_one_broker_is_refused_to_a_cluster_of_three(server_folder: Path) -> None:
    folder = server_folder / "kafka"
    folder.mkdir()
    (folder / "cluster.json").write_text('{"id": "AAAAAAAAAAAAAAAAAAAAAA", "brokers": 1}')

    with pytest.raises(ClusterHasOtherSize, match=r"made by 1 broker\(s\), 3 asked for"):
        Kafka(folder, brokers=3).start()


def test_a_broken_configuration_is_refused_with_its_reason(server_folder: Path) -> None:
    cluster = Kafka(server_folder / "kafka", extra_properties={"num.partitions": "many"})

    with pytest.raises(ServerFailed, match=r"num\.partitions"):
        cluster.start()

    assert cluster.pids == {}


def test_nobody_listening_is_an_answer_of_no_brokers() -> None:
    assert brokers_known_to(free_ports(1)[0]) == frozenset()


def test_a_server_that_is_no_broker_is_an_answer_of_no_brokers() -> None:
    with socket.create_server((LOOPBACK, free_port())) as mute:
        assert brokers_known_to(mute.getsockname()[1], seconds_max=0.1) == frozenset()
