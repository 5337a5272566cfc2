"""Callers of a running service of orders. Config: face (grpc or http), address, clients, skus, seconds.

So many callers place orders of two items, each its next one when the last is answered.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import grpc
import httpx

from bench.programs.orders import USERS
from bench.programs.parent import Config, Parent, run
from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub

Place: TypeAlias = Callable[[int, tuple[int, int]], Awaitable[None]]

SECONDS_MAX = 20.0


@asynccontextmanager
async def _over_grpc(address: str) -> AsyncIterator[Place]:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = LomsServiceStub(channel)

        async def place(user_id: int, skus: tuple[int, int]) -> None:
            items = [pb.Item(sku=sku, count=1) for sku in skus]
            await stub.OrderCreate(pb.OrderCreateRequest(user_id=user_id, items=items), timeout=SECONDS_MAX)

        yield place


@asynccontextmanager
async def _over_http(address: str) -> AsyncIterator[Place]:
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=SECONDS_MAX) as client:

        async def place(user_id: int, skus: tuple[int, int]) -> None:
            items = [{"sku": sku, "count": 1} for sku in skus]
            answer = await client.post("/order/create", json={"userId": user_id, "items": items})
            answer.raise_for_status()

        yield place


FACES = {"grpc": _over_grpc, "http": _over_http}


async def main(config: Config, parent: Parent) -> None:
    """Be ready; at the word, call for so long, and say how often."""
    async with FACES[config["face"]](config["address"]) as place:
        await _caller(place, config["skus"], random.Random(0), time.monotonic())  # noqa: S311 - a load
        parent.say("ready")
        await parent.word()
        began = time.monotonic()
        until = began + config["seconds"]
        placed = await asyncio.gather(
            *(_caller(place, config["skus"], random.Random(seed), until) for seed in range(config["clients"]))  # noqa: S311
        )
        parent.say("done", orders=sum(placed), seconds=time.monotonic() - began)


async def _caller(place: Place, skus: int, chance: random.Random, until: float) -> int:
    """Place at least one order, and more until the time is over; return how many."""
    placed = 0
    while placed == 0 or time.monotonic() < until:
        first = chance.randrange(1, skus)
        await place(chance.randrange(1, USERS), (first, chance.randrange(first + 1, skus + 1)))
        placed += 1
    return placed


if __name__ == "__main__":
    run(main)
