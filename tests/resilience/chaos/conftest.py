"""One Postgres and one broker for the runs of this folder, to be crashed at will."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from stack.ports import free_port
from stack.servers import Kafka, Postgres
from tests.shared_servers import servers_folder


@dataclass(frozen=True, slots=True)
class Victims:
    """Servers that may be crashed."""

    postgres: Postgres
    kafka: Kafka


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    folder = servers_folder()
    with ExitStack() as down:
        down.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = Postgres(folder / "postgres", free_port(), dies_with_parent=True)
        kafka = Kafka(folder / "kafka", dies_with_parent=True)
        for server in (postgres, kafka):
            down.callback(server.kill)
            server.start()
        yield Victims(postgres, kafka)
