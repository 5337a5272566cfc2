"""Are the broker's topics as their rules say, and as the promise needs them?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from outbox.kafka_topics import read_configs
from outbox.message import TopicRule
from outbox.operations.findings import Finding, error, warning

_REPLICAS_SAFE = 3


async def check_topics(bootstrap_servers: str, rules: Sequence[TopicRule], **options: Any) -> list[Finding]:
    """Existence, limit, cleanup policy, and how many replicas acknowledge."""
    clients = {"bootstrap_servers": bootstrap_servers, **options}
    replicas = await _replicas(clients, [rule.name for rule in rules])
    configs = await read_configs(clients, list(replicas))
    return [finding for rule in rules for finding in _topic(rule, replicas.get(rule.name), configs.get(rule.name, {}))]


async def _replicas(options: Mapping[str, Any], topics: Sequence[str]) -> dict[str, int]:
    """Replicas per partition of the topics that exist."""
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    try:
        described = await admin.describe_topics(list(topics))
    finally:
        await admin.close()
    return {
        topic["topic"]: min(len(partition["replicas"]) for partition in topic["partitions"])
        for topic in described
        if topic["error_code"] == 0
    }


def _topic(rule: TopicRule, replicas: int | None, configs: Mapping[str, str]) -> Iterator[Finding]:
    subject = f"topic {rule.name}"
    if replicas is None:
        yield error(subject, "the broker does not have it", "create it")
        return
    limit = int(configs.get("max.message.bytes", rule.max_bytes))
    if limit < rule.max_bytes:
        fact = f"max.message.bytes is {limit}, append lets {rule.max_bytes} pass"
        yield error(subject, fact, f"set max.message.bytes to {rule.max_bytes} or more")
    if configs.get("cleanup.policy", "delete") != "delete":
        fact = f"cleanup.policy is {configs['cleanup.policy']}: versions of a key vanish"
        yield error(subject, fact, "set cleanup.policy to delete")
    if configs.get("unclean.leader.election.enable", "false") == "true":
        yield error(subject, "unclean leader election loses records", "set unclean.leader.election.enable to false")
    if replicas >= _REPLICAS_SAFE and int(configs.get("min.insync.replicas", 1)) < _REPLICAS_SAFE - 1:
        fact = "min.insync.replicas is below 2: one broker's word is enough"
        yield warning(subject, fact, "set min.insync.replicas to 2")
