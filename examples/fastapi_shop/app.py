"""An HTTP shop: each request's transaction holds the order and its message; `python -m outbox relay` does the rest.

DATABASE_URL and TOPIC come from the environment. Serve `examples.fastapi_shop.app:app` with any ASGI server.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException

from outbox import Message, TopicRule, Wake, Writer, install_sql

TOPIC = os.environ["TOPIC"]
ORDERS = """
create table if not exists orders (
  order_id bigint generated always as identity primary key, status text not null, version bigint not null)
"""
PLACE = "insert into orders (status, version) values ('placed', 1) returning order_id"
PAY = """
update orders set status = 'paid', version = version + 1
where order_id = $1 and status = 'placed' returning version
"""

writer = Writer([TopicRule(TOPIC, versioned=True)])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Pool and wake live as long as the application; a real one would leave the tables to its migrations."""
    dsn = os.environ["DATABASE_URL"]
    app.state.wake = Wake(dsn)
    async with asyncpg.create_pool(dsn) as pool:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(ORDERS)
            if await connection.fetchval("select to_regclass('outbox')") is None:
                await connection.execute(install_sql(writer_role=await connection.fetchval("select current_user")))
        app.state.pool = pool
        await app.state.wake.start()
        yield
        await app.state.wake.stop()


app = FastAPI(lifespan=lifespan)


@app.post("/orders", status_code=201)
async def place() -> dict[str, int]:
    """Place an order."""
    async with app.state.pool.acquire() as connection, connection.transaction():
        order_id: int = await connection.fetchval(PLACE)
        await writer.append(connection, message(order_id, 1, "placed"))
    app.state.wake.set()
    return {"order_id": order_id}


@app.post("/orders/{order_id}/pay")
async def pay(order_id: int) -> dict[str, str]:
    """Pay for an order that was placed; the update locks its row, so versions and messages rise together."""
    async with app.state.pool.acquire() as connection, connection.transaction():
        version = await connection.fetchval(PAY, order_id)
        if version is None:
            raise HTTPException(409, f"order {order_id} is not waiting for a payment")
        await writer.append(connection, message(order_id, version, "paid"))
    app.state.wake.set()
    return {"status": "paid"}


def message(order_id: int, version: int, status: str) -> Message:
    """The public fact."""
    body = json.dumps({"order_id": order_id, "status": status}).encode()
    return Message(topic=TOPIC, key=str(order_id), version=version, type=f"order.{status}", payload=body)
