"""The planted mistakes: what each is called, the scene that provokes it, the parts that make it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from outbox.kafka import KafkaPublisher
from outbox.session import Session
from stack.servers import Kafka
from tests.chaos.judgement import Judgement
from tests.planted import inbox_mistakes, order_mistakes, order_scenes, outbox_mistakes, scenes
from tests.planted.order_stand import OrderParts, OrderScene, PlantedInOrders, order_stand
from tests.planted.scenes import Scene
from tests.planted.stand import Parts, Stand, stand

Planted = Callable[[Stand], Parts]


@dataclass(frozen=True, slots=True)
class Servers:
    """What stands are built on. `cluster` gives three brokers that may be killed, the same ones every time."""

    admin_dsn: str
    bootstrap: str
    cluster: Callable[[], Kafka]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One planted bug, and the invariant it breaks where it is found."""

    name: str
    what: str
    breaks: str
    scene: Scene | OrderScene
    parts: Planted | PlantedInOrders


def _publisher(kind: type[KafkaPublisher]) -> Planted:
    def planted(at: Stand) -> Parts:
        return Parts(publisher=lambda _: at.publisher(kind))

    return planted


def _session(kind: type[Session]) -> Planted:
    return lambda _: Parts(sessions=kind.open)


CHANGES_ITS_MIND = Scene(scenes.a_client_that_changes_its_mind)
LATE_COMMIT = Scene(scenes.a_late_commit)
BEGAN_EARLY = Scene(scenes.a_transaction_that_began_early)
MANY_KEYS = Scene(scenes.many_keys_in_many_partitions, partitions=4)
DIES_ALONE = Scene(scenes.a_leader_that_dies_alone, partitions=1, brokers=3)
BROKER_AWAY = Scene(scenes.a_broker_that_was_away)
TWO_RELAYS = Scene(scenes.two_relays)
LEASE_RAN_OUT = Scene(scenes.a_lease_that_ran_out)
COMMIT_LOST = Scene(scenes.a_commit_that_never_arrives, partitions=1)
TWO_CONSUMERS = Scene(scenes.two_consumers)
POISON = Scene(scenes.a_poisoned_order)
WENT_TO_ANOTHER = Scene(scenes.a_partition_that_went_to_another, partitions=1)
MANY_BUYERS = OrderScene(order_scenes.many_buyers_of_few_pieces)
SAME_TWO = OrderScene(order_scenes.buyers_of_the_same_two_skus)
BEYOND_STOCK = OrderScene(order_scenes.an_order_beyond_the_stock)
ANSWER_LOST = OrderScene(order_scenes.a_commit_whose_answer_is_lost)

SCENES: tuple[Scene | OrderScene, ...] = (
    CHANGES_ITS_MIND,
    LATE_COMMIT,
    BEGAN_EARLY,
    MANY_KEYS,
    DIES_ALONE,
    BROKER_AWAY,
    TWO_RELAYS,
    LEASE_RAN_OUT,
    COMMIT_LOST,
    TWO_CONSUMERS,
    POISON,
    WENT_TO_ANOTHER,
    MANY_BUYERS,
    SAME_TWO,
    BEYOND_STOCK,
    ANSWER_LOST,
)

RUNS_MAX = 5
"""Some mistakes are races: how often a scene is played until one counts as missed."""

MISTAKES = (
    Mistake(
        "PB-01",
        "publish before commit",
        "I-09",
        CHANGES_ITS_MIND,
        lambda at: Parts(append=outbox_mistakes.PublishesBeforeTheCommit(at.bootstrap)),
    ),
    Mistake(
        "PB-02",
        "outbox in a second transaction",
        "I-08",
        CHANGES_ITS_MIND,
        lambda at: Parts(append=outbox_mistakes.AppendsApart(at.shop_dsn)),
    ),
    Mistake("PB-03", "cursor id > last", "I-10", LATE_COMMIT, _session(outbox_mistakes.ReadsPastTheLastNumber)),
    Mistake("PB-04", "order by created_at", "I-12", BEGAN_EARLY, _session(outbox_mistakes.ReadsByMoment)),
    Mistake("PB-05", "no key", "I-11", MANY_KEYS, _publisher(outbox_mistakes.WritesWithoutKey)),
    Mistake("PB-06", "acks=1", "I-10", DIES_ALONE, _publisher(outbox_mistakes.BelievesOneCopy)),
    Mistake(
        "PB-07",
        "advance before ack",
        "I-10",
        BROKER_AWAY,
        lambda _: Parts(publisher=outbox_mistakes.AdvancesBeforeTheAnswer),
    ),
    Mistake("PB-08", "two relays without lease", "I-13", TWO_RELAYS, _session(outbox_mistakes.NobodyLeads)),
    Mistake(
        "PB-09",
        "retry skips the failed row",
        "I-10",
        BROKER_AWAY,
        lambda _: Parts(publisher=outbox_mistakes.SkipsWhatFailed),
    ),
    Mistake(
        "PB-10", "advance without epoch check", "I-13", LEASE_RAN_OUT, _session(outbox_mistakes.AdvancesWithoutEpoch)
    ),
    Mistake(
        "PB-11",
        "offset before apply",
        "I-17",
        COMMIT_LOST,
        lambda _: Parts(applications=inbox_mistakes.MovesOnBeforeItApplies),
    ),
    Mistake(
        "PB-12",
        "watermark in another transaction",
        "I-17",
        COMMIT_LOST,
        lambda at: Parts(applications=partial(inbox_mistakes.KeepsWatermarksApart, at.ledger_dsn)),
    ),
    Mistake(
        "PB-13",
        "watermark without consumer name",
        "I-17",
        TWO_CONSUMERS,
        lambda _: Parts(applications=inbox_mistakes.watermarks_for_everybody),
    ),
    Mistake(
        "PB-14",
        "poison acknowledged without parking",
        "I-17",
        POISON,
        lambda _: Parts(applications=inbox_mistakes.DropsPoison),
    ),
    Mistake("PB-15", "no fence", "I-14", WENT_TO_ANOTHER, lambda _: Parts(applications=inbox_mistakes.NeverFenced)),
    Mistake("PB-16", "stock by SELECT then UPDATE", "I-05", MANY_BUYERS, order_mistakes.looks_then_takes),
    Mistake("PB-17", "locks in body order", order_scenes.NO_DEADLOCK, SAME_TWO, order_mistakes.locks_in_any_order),
    Mistake("PB-18", "failed rolled back with the stock", "I-02", BEYOND_STOCK, order_mistakes.undoes_what_failed),
    Mistake("PB-19", "blind retry after a COMMIT error", "I-02", ANSWER_LOST, order_mistakes.repeats_blindly),
)


async def play(
    servers: Servers, scene: Scene | OrderScene, parts: Planted | PlantedInOrders | None = None
) -> Judgement:
    """Play a scene on a fresh stand, with the right parts unless others are given."""
    if isinstance(scene, OrderScene):
        planted = cast("PlantedInOrders", parts or OrderParts)
        async with order_stand(servers.admin_dsn, planted()) as orders_at:
            return await scene.play(orders_at)
    cluster = await asyncio.to_thread(servers.cluster) if scene.brokers > 1 else None
    bootstrap = cluster.bootstrap if cluster else servers.bootstrap
    async with stand(servers.admin_dsn, bootstrap, partitions=scene.partitions, cluster=cluster) as at:
        if parts is not None:
            at.parts = cast("Planted", parts)(at)
        return await scene.play(at)
