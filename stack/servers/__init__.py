"""Real servers, one class each: start blocks until the server answers; stop, kill, freeze and thaw are always safe."""

from stack.servers.envoy import Envoy
from stack.servers.kafka import Kafka
from stack.servers.pgbouncer import Pgbouncer
from stack.servers.postgres import Postgres
from stack.servers.server import Server
from stack.servers.valkey import Valkey

__all__ = ["Envoy", "Kafka", "Pgbouncer", "Postgres", "Server", "Valkey"]
