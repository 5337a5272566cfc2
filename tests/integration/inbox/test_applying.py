"""What reaches the database, from a real broker into a real Postgres."""

from inbox import TopicPolicy
from tests.given import MakeTopic
from tests.integration.inbox.world import World, an_event, log_of
from tests.waiting import eventually


async def test_events_of_a_key_are_applied_once_and_in_order(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    second = an_event("42", 2)
    async with log_of(world.bootstrap, name) as log:
        await log.append(an_event("42", 1), second, second, an_event("42", 3), second)
    world.start(TopicPolicy(name))

    await eventually(lambda: _at(world, name, 5))

    assert await world.applied("42") == [1, 2, 3]


async def _at(world: World, name: str, offset: int) -> bool:
    return await world.position(name) == offset
