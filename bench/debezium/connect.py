"""Kafka Connect in standalone mode as a server of the stand."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stack.java import java
from stack.kafka_jars import fetch_jars, locked_jars, maven, maven_cache
from stack.ports import LOOPBACK
from stack.servers.kafka_properties import DEPLOY
from stack.servers.server import SingleServer

LOCK = Path(__file__).parent / "debezium.lock"
DEBEZIUM_VERSION = "3.7.0.Final"
_HEAP = ("-Xms256M", "-Xmx2G")
_GC = (
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
)
"""Heap and collector as Connect's own start script sets them."""

_ASK_SECONDS_MAX = 30.0


class Connect(SingleServer):
    """One worker on `folder`, its REST interface on `port` of loopback; the JVM keeps its full compiler."""

    def __init__(self, folder: Path, port: int, *, bootstrap: str) -> None:
        super().__init__(folder, port, name="connect", dies_with_parent=True, start_seconds_max=120.0)
        self._bootstrap = bootstrap

    @property
    def version(self) -> str:
        """The connector's version."""
        return DEBEZIUM_VERSION

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of the REST interface; raises OSError where it does not answer well."""
        request = urllib.request.Request(
            f"http://{LOOPBACK}:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=_ASK_SECONDS_MAX) as answer:  # noqa: S310 - a fixed scheme on loopback
            said = answer.read()
        return json.loads(said) if said else None

    def _spawn(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        jars = fetch_jars(locked_jars(LOCK), download=maven(), cache=maven_cache())
        worker = self.folder / "worker.properties"
        worker.write_text(
            f"bootstrap.servers={self._bootstrap}\n"
            "key.converter=org.apache.kafka.connect.storage.StringConverter\n"
            "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
            f"offset.storage.file.filename={self.folder / 'offsets'}\n"
            f"listeners=http://{LOOPBACK}:{self.port}\n",
            encoding="utf-8",
        )
        self._child.spawn(
            [
                java().path,
                *_HEAP,
                *_GC,
                f"-Dlog4j2.configurationFile={DEPLOY / 'log4j2.xml'}",
                "-cp",
                ":".join(map(str, jars)),
                "org.apache.kafka.connect.cli.ConnectStandalone",
                worker,
            ]
        )

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/connectors") is not None
        except (OSError, urllib.error.URLError):
            return False
