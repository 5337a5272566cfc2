"""Real servers, one class each: start blocks until the server answers; stop, kill, freeze and thaw are always safe."""

from stack.servers.kafka import Kafka
from stack.servers.postgres import Postgres

__all__ = ["Kafka", "Postgres"]
