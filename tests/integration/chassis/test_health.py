"""The health server of a process: alive without looking, ready with looking, and its numbers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from chassis.errors import AddressInUse, NotStarted
from chassis.health import Health


class Dependency:
    """Something that is there or not."""

    def __init__(self) -> None:
        self.there = True

    async def check(self) -> None:
        if not self.there:
            raise ConnectionRefusedError("postgresql://shop:secret@10.0.0.1")


@pytest.fixture
def dependency() -> Dependency:
    return Dependency()


@pytest.fixture
async def get(dependency: Dependency) -> AsyncIterator[Callable[[str], Awaitable[httpx.Response]]]:
    registry = CollectorRegistry()
    Counter("orders_total", "Orders taken.", registry=registry).inc(3)
    health = Health("127.0.0.1:0", {"postgres": dependency.check}, registry=registry)
    await health.start()
    async with httpx.AsyncClient(base_url=f"http://{health.address}", trust_env=False) as client:
        yield client.get
    await health.stop()


Get = Callable[[str], Awaitable[httpx.Response]]


async def test_a_process_is_alive_even_without_its_dependencies(get: Get, dependency: Dependency) -> None:
    dependency.there = False

    answer = await get("/livez")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_process_is_ready_when_every_check_passes(get: Get) -> None:
    answer = await get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["checks"]["postgres"]["ok"] is True


async def test_a_failing_check_is_named_without_its_secrets(get: Get, dependency: Dependency) -> None:
    dependency.there = False

    answer = await get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["postgres"]["error"] == "ConnectionRefusedError"
    assert "secret" not in answer.text


async def test_a_process_is_ready_again_when_its_dependency_is_back(get: Get, dependency: Dependency) -> None:
    dependency.there = False
    await get("/readyz")
    dependency.there = True

    assert (await get("/readyz")).status_code == 200


async def test_a_check_that_hangs_counts_as_failed() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    health = Health("127.0.0.1:0", {"kafka": hang}, check_seconds_max=0.01)
    await health.start()
    async with httpx.AsyncClient(base_url=f"http://{health.address}", trust_env=False) as client:
        answer = await client.get("/readyz")
    await health.stop()

    assert answer.status_code == 503
    assert answer.json()["checks"]["kafka"]["error"] == "TimeoutError"


async def test_the_numbers_are_prometheus_text(get: Get) -> None:
    answer = await get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "orders_total 3.0" in answer.text


async def test_any_other_path_is_not_found(get: Get) -> None:
    assert (await get("/")).status_code == 404


async def test_only_reading_is_allowed() -> None:
    health = Health("127.0.0.1:0", {})
    await health.start()
    async with httpx.AsyncClient(base_url=f"http://{health.address}", trust_env=False) as client:
        posted, head = await client.post("/livez"), await client.head("/livez")
    await health.stop()

    assert (posted.status_code, head.status_code, head.text) == (405, 200, "")


async def test_a_taken_port_is_named_with_its_cure() -> None:
    first = Health("127.0.0.1:0", {})
    await first.start()

    with pytest.raises(
        AddressInUse, match=rf"cannot listen on {first.address}: Address already in use; stop what uses"
    ):
        await Health(first.address, {}).start()

    await first.stop()


async def test_starting_and_stopping_twice_is_harmless() -> None:
    health = Health("127.0.0.1:0", {})
    await health.start()
    await health.start()
    address = health.address
    await health.stop()
    await health.stop()

    again = Health(address, {})
    await again.start()
    await again.stop()


async def test_the_address_is_known_only_while_it_listens() -> None:
    with pytest.raises(NotStarted, match=r"health 127\.0\.0\.1:0 is not running"):
        _ = Health("127.0.0.1:0", {}).address
