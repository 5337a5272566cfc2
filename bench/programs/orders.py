"""The service layer of orders, in a process of its own as the api runs it, without a caller's protocol.

Config: dsn, clients, skus, seconds. So many clients place orders of two items, each its next when the last is answered.
"""

import asyncio
import os
import random
import time

from bench.programs.parent import Config, Parent, run
from chassis.postgres import Pool
from outbox import Wake
from services.loms import bootstrap
from services.loms.domain.ids import Sku, UserId
from services.loms.domain.items import Item
from services.loms.service.orders import OrderService

USERS = 100_000


async def main(config: Config, parent: Parent) -> None:
    """Be ready; at the word, place orders for so long, and say how many."""
    clients = config["clients"]
    pool = Pool(config["dsn"], application_name="bench-orders", min_size=clients, max_size=clients)
    wake = Wake(config["dsn"])
    await pool.start()
    await wake.start()
    orders = OrderService(unit_of_work=bootstrap.unit_of_work(pool, wake))
    await _client(orders, config["skus"], random.Random(0), time.monotonic())  # noqa: S311 - a load
    parent.say("ready")
    await parent.word()
    began, spent = time.monotonic(), _processor_seconds()
    until = began + config["seconds"]
    placed = await asyncio.gather(
        *(_client(orders, config["skus"], random.Random(seed), until) for seed in range(clients))  # noqa: S311
    )
    elapsed = time.monotonic() - began
    parent.say("done", orders=sum(placed), seconds=elapsed, cpu_seconds=_processor_seconds() - spent)
    await wake.stop()
    await pool.stop()


async def _client(orders: OrderService, skus: int, chance: random.Random, until: float) -> int:
    """Place at least one order, and more until the time is over; return how many."""
    placed = 0
    while placed == 0 or time.monotonic() < until:
        first = chance.randrange(1, skus)
        lines = [Item(Sku(first), 1), Item(Sku(chance.randrange(first + 1, skus + 1)), 1)]
        await orders.create(UserId(chance.randrange(1, USERS)), lines)
        placed += 1
    return placed


def _processor_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system


if __name__ == "__main__":
    run(main)
