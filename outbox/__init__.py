"""outbox: from a Postgres transaction to Kafka, in order per key, with nothing lost.

A message is appended in the transaction that made it true; the relay finds it by the difference of two snapshots,
hands it to Kafka and moves its cursor only after the acknowledgement. The library imports nothing of its users.
"""

from outbox import errors
from outbox.ids import uuid7
from outbox.message import Message, TopicRule
from outbox.relay import Relay
from outbox.schema import install_sql, install_statements
from outbox.wake import Wake
from outbox.writer import Writer, append

__all__ = [
    "Message",
    "Relay",
    "TopicRule",
    "Wake",
    "Writer",
    "append",
    "errors",
    "install_sql",
    "install_statements",
    "uuid7",
]
