"""From Kafka to a Postgres transaction, applied exactly once. The mirror of an outbox; needs nothing around it."""

from __future__ import annotations

from inbox.errors import NeedsOperator, Reject, TryAgain
from inbox.event import Event
from inbox.policy import Limits, TopicPolicy
from inbox.runner import Handler, Runner
from inbox.schema import install_sql, install_statements

__all__ = [
    "Event",
    "Handler",
    "Limits",
    "NeedsOperator",
    "Reject",
    "Runner",
    "TopicPolicy",
    "TryAgain",
    "install_sql",
    "install_statements",
]
