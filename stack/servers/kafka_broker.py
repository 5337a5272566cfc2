"""One broker of a cluster: its files, its formatting, its process."""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.errors import ServerFailed
from stack.java import java
from stack.ports import require_free
from stack.servers.child import ENVIRONMENT, Child, last_lines
from stack.servers.kafka_metadata import brokers_known_to
from stack.servers.kafka_properties import DEPLOY, Node, render


class Broker:
    """The broker `node` of the cluster `nodes`, its data in `folder`."""

    def __init__(
        self,
        folder: Path,
        node: Node,
        nodes: Sequence[Node],
        *,
        name: str,
        log: Path | None,
        port_setting: str,
        heap_mib: int,
        extra_properties: Mapping[str, str],
        dies_with_parent: bool,
    ) -> None:
        self.node = node
        self._nodes = nodes
        self._data = folder / "data"
        self._properties = folder / "server.properties"
        self._extra_properties = extra_properties
        self._port_setting = port_setting
        self._heap = f"{heap_mib}m"
        self._child = Child(name=name, folder=folder, log=log, dies_with_parent=dies_with_parent)

    @property
    def pid(self) -> int | None:
        """The broker's process id while it runs."""
        return self._child.pid

    @property
    def log(self) -> Path:
        """Where the broker writes what it has to say."""
        return self._child.log

    def prepare(self, jars: Sequence[Path], *, cluster_id: str) -> None:
        """Take the folder and the ports, write the configuration, format the data if that was not done."""
        self._child.claim()
        require_free(self.node.port, self._port_setting)
        require_free(self.node.controller_port, f"{self._port_setting}, controller")
        self._properties.write_text(
            render(self.node, self._nodes, data=self._data, extra=self._extra_properties), encoding="utf-8"
        )
        if not (self._data / "meta.properties").exists():
            self._format(jars, cluster_id)

    def spawn(self, jars: Sequence[Path]) -> None:
        """Start the process; await_ready says when it answers."""
        heap = [f"-Xms{self._heap}", f"-Xmx{self._heap}", "-XX:+ExitOnOutOfMemoryError"]
        self._child.spawn([*self._java(jars, *heap), "kafka.Kafka", self._properties])

    def await_ready(self, *, knows: frozenset[int], seconds_max: float) -> None:
        """Block until this broker answers a metadata request that lists at least the brokers `knows`."""
        self._child.await_ready(lambda: knows <= brokers_known_to(self.node.port), seconds_max=seconds_max)

    def stop(self, *, seconds_max: float) -> None:
        """Ask it to hand over its partitions and end; kill it if that takes too long."""
        self._child.stop(by=signal.SIGTERM, seconds_max=seconds_max)

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def freeze(self) -> None:
        """SIGSTOP."""
        self._child.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        self._child.thaw()

    def _format(self, jars: Sequence[Path], cluster_id: str) -> None:
        tool = [
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            cluster_id,
            "-c",
            str(self._properties),
        ]
        with self.log.open("ab") as log:
            argv = [*self._java(jars), *tool]
            made = subprocess.run(argv, check=False, stdout=log, stderr=log, env=dict(ENVIRONMENT))  # noqa: S603 - our own argv
        if made.returncode != 0:
            raise ServerFailed(self._child.name, "could not format", log=self.log, last_lines=last_lines(self.log))

    def _java(self, jars: Sequence[Path], *options: str) -> list[str]:
        return [
            str(java().path),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            *options,
            f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.xml'}",
            "-cp",
            ":".join(map(str, jars)),
        ]
