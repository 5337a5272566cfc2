"""A Kafka cluster of our own (KRaft, one broker or three), each broker a direct child that can be killed alone."""

import base64
import contextlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from stack.errors import ClusterHasOtherSize
from stack.kafka_jars import KAFKA_VERSION, Progress, fetch_jars, locked_jars, maven, maven_cache
from stack.ports import LOOPBACK, free_ports
from stack.servers.kafka_broker import Broker
from stack.servers.kafka_properties import Node
from stack.servers.server import Server

_CLUSTER = "cluster.json"


class Kafka(Server):
    """`brokers` brokers with the node ids 1, 2, … on `folder`, answering on `ports` of loopback (free ones by default).

    With three, every record is kept thrice and acknowledged by two. `progress(jars ready, jars in all)` is called
    while the jars are fetched; `mirror` is the address of a Maven repository to use instead of the central one.
    """

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        ports: Sequence[int] | None = None,
        *,
        controller_ports: Sequence[int] | None = None,
        extra_properties: Mapping[str, str] | None = None,
        name: str = "kafka",
        logs: Path | None = None,
        port_setting: str = "the port of kafka",
        mirror: str | None = None,
        progress: Progress | None = None,
        heap_mib: int = 256,
        dies_with_parent: bool = False,
        start_seconds_max: float = 90.0,
        stop_seconds_max: float = 20.0,
    ) -> None:
        self.name = name
        self.folder = folder
        free = iter(free_ports(2 * brokers))
        self.ports = tuple(ports or (next(free) for _ in range(brokers)))
        controllers = tuple(controller_ports or (next(free) for _ in range(brokers)))
        self._mirror = mirror
        self._progress = progress
        self._start_seconds_max = start_seconds_max
        self._stop_seconds_max = stop_seconds_max
        nodes = [Node(i, *ports) for i, ports in enumerate(zip(self.ports, controllers, strict=True), start=1)]
        names = {node.node_id: f"{name}-{node.node_id}" if brokers > 1 else name for node in nodes}
        self._brokers = {
            node.node_id: Broker(
                folder / str(node.node_id),
                node,
                nodes,
                name=names[node.node_id],
                log=logs / f"{names[node.node_id]}.log" if logs else None,
                port_setting=port_setting,
                heap_mib=heap_mib,
                extra_properties=extra_properties or {},
                dies_with_parent=dies_with_parent,
            )
            for node in nodes
        }

    @property
    def version(self) -> str:
        """The version of the broker."""
        return KAFKA_VERSION

    @property
    def bootstrap(self) -> str:
        """Where clients begin: every broker's address, comma between."""
        return ",".join(f"{LOOPBACK}:{port}" for port in self.ports)

    @property
    def pid(self) -> int | None:
        """The process id of the first running broker."""
        return next((broker.pid for broker in self._brokers.values() if broker.pid is not None), None)

    @property
    def pids(self) -> dict[int, int]:
        """The process id of every running broker, by node id."""
        return {node_id: broker.pid for node_id, broker in self._brokers.items() if broker.pid is not None}

    @property
    def logs(self) -> dict[int, Path]:
        """Where each broker writes what it has to say, by node id."""
        return {node_id: broker.log for node_id, broker in self._brokers.items()}

    def start(self) -> None:
        """As Server.start, for every broker that does not run; fetches the jars and formats the data the first time.

        Returns when every broker answers a metadata request that lists all; when it raises, no broker is left running.
        """
        try:
            self._start(list(self._brokers), knows=frozenset(self._brokers))
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop all brokers at once, gracefully. Safe to repeat."""
        self._each(lambda broker: broker.stop(seconds_max=self._stop_seconds_max))

    def kill(self) -> None:
        """SIGKILL all brokers. Safe to repeat."""
        self._each(Broker.kill)

    def freeze(self) -> None:
        """SIGSTOP all brokers."""
        self._each(Broker.freeze)

    def thaw(self) -> None:
        """SIGCONT all brokers."""
        self._each(Broker.thaw)

    def kill_broker(self, node_id: int) -> None:
        """SIGKILL one broker."""
        self._brokers[node_id].kill()

    def stop_broker(self, node_id: int) -> None:
        """Stop one broker gracefully."""
        self._brokers[node_id].stop(seconds_max=self._stop_seconds_max)

    def start_broker(self, node_id: int) -> None:
        """Start one broker again; returns when it answers and lists itself. When it raises, it does not run."""
        try:
            self._start([node_id], knows=frozenset({node_id}))
        except BaseException:
            self.kill_broker(node_id)
            raise

    def freeze_broker(self, node_id: int) -> None:
        """SIGSTOP one broker."""
        self._brokers[node_id].freeze()

    def thaw_broker(self, node_id: int) -> None:
        """SIGCONT one broker."""
        self._brokers[node_id].thaw()

    def _start(self, node_ids: Sequence[int], *, knows: frozenset[int]) -> None:
        """Prepare side by side, spawn from this thread (a child may be bound to its life), await side by side."""
        asleep = [self._brokers[node_id] for node_id in node_ids if self._brokers[node_id].pid is None]
        cluster_id = self._cluster_id()
        jars = fetch_jars(locked_jars(), download=maven(self._mirror), cache=maven_cache(), progress=self._progress)
        with ThreadPoolExecutor(len(self._brokers)) as pool:
            list(pool.map(lambda broker: broker.prepare(jars, cluster_id=cluster_id), asleep))
            for broker in asleep:
                broker.spawn(jars)
            waits = {"knows": knows, "seconds_max": self._start_seconds_max}
            list(pool.map(lambda broker: broker.await_ready(**waits), asleep))

    def _cluster_id(self) -> str:
        """The cluster's name for itself, made once and kept with its size; every broker is formatted with it."""
        kept = _kept(self.folder)
        if not kept:
            kept = {"id": _drawn_cluster_id(), "brokers": len(self._brokers)}
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / _CLUSTER).write_text(json.dumps(kept), encoding="utf-8")
        if kept["brokers"] != len(self._brokers):
            raise ClusterHasOtherSize(self.folder, made=kept["brokers"], asked=len(self._brokers))
        return str(kept["id"])

    def _each(self, act: Callable[[Broker], None]) -> None:
        with contextlib.ExitStack() as pending, ThreadPoolExecutor(len(self._brokers)) as pool:
            for done in [pool.submit(act, broker) for broker in self._brokers.values()]:
                pending.callback(done.result)


def brokers_made(folder: Path) -> int | None:
    """How many brokers the data in `folder` was made for; None if there is none."""
    kept = _kept(folder)
    return int(kept["brokers"]) if kept else None


def _kept(folder: Path) -> dict[str, Any]:
    """What a cluster keeps about itself; empty before it was made."""
    path = folder / _CLUSTER
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _drawn_cluster_id() -> str:
    """A random UUID in 22 characters, as Kafka writes them; a dash in front would look like an option."""
    drawn = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return f"A{drawn[1:]}" if drawn.startswith("-") else drawn
