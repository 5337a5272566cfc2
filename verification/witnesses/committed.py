"""Reads how far a consumer's group says it has come: the offsets it committed in Kafka, read as a stranger."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from verification.witnesses.away import WitnessAway

if TYPE_CHECKING:
    from collections.abc import Mapping

_COORDINATOR_SECONDS_MAX: Final = 15.0
_ASK_AGAIN_SECONDS: Final = 0.2


async def committed_offsets(*, bootstrap_servers: str, group: str, topic: str, partitions: int) -> dict[int, int]:
    """Give the next offset of each partition the group committed one for; raises WitnessAway if nobody answers.

    Brokers that never served a group, or just changed leaders, need some seconds before one of them speaks for it.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    wanted = [TopicPartition(topic, number) for number in range(partitions)]
    try:
        await admin.start()
        found = await _asked(admin, group, wanted)
    except (KafkaError, TimeoutError) as error:
        raise WitnessAway("Kafka", str(error) or type(error).__name__) from error
    finally:
        await admin.close()
    return {at.partition: committed.offset for at, committed in found.items() if committed.offset >= 0}


async def _asked(admin: AIOKafkaAdminClient, group: str, wanted: list[TopicPartition]) -> Mapping[TopicPartition, Any]:
    async with asyncio.timeout(_COORDINATOR_SECONDS_MAX):
        while True:
            try:
                found: Mapping[TopicPartition, Any] = await admin.list_consumer_group_offsets(group, partitions=wanted)
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                return found
