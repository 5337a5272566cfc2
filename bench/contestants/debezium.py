"""Debezium as a contestant: its JVM stays warm for the whole run, its connector runs only on its turns."""

import contextlib
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

from bench.debezium.connect import Connect
from bench.debezium.connector import configuration
from bench.stand import Stand

_SECONDS_MAX = 120.0
_LOOK_SECONDS = 0.05


class DebeziumFailed(Exception):
    """The connector did not come to the state it was told to."""


class Debezium:
    """One connector, `tuned` or `default`, on a worker that several share."""

    wakes = False

    def __init__(self, stand: Stand, connect: Connect, mode: str) -> None:
        self.name = mode
        self.outbox = mode
        self.topic = stand.topic(f"bench-{mode}")
        self.sessions = f"pid in (select active_pid from pg_replication_slots where slot_name = 'bench_{mode}')"
        self._stand = stand
        self._connect = connect
        self._made = False

    @property
    def pids(self) -> list[int]:
        """The worker."""
        return [self._connect.pid] if self._connect.pid is not None else []

    def prepare(self, *, noting: bool) -> None:
        """Start the worker; the first time make the connector, its slot and its publication, and stop it again."""
        del noting  # nobody outside can see its acknowledgements
        self._connect.start()
        if not self._made:
            self._connect.ask("PUT", f"/connectors/{self.name}/config", configuration(self.name, dsn=self._stand.dsn))
            self._await("streams", self._streams)
            self.pause()
            self._made = True

    def begin(self) -> None:
        """Resume; the connector first reads past what others wrote meanwhile."""
        self._connect.ask("PUT", f"/connectors/{self.name}/resume")

    def pause(self) -> Path | None:
        """Stop the connector's task; the slot keeps its place."""
        self._connect.ask("PUT", f"/connectors/{self.name}/stop")
        self._await("stops", lambda: not self._streams())
        return None

    def close(self) -> None:
        """End the worker."""
        self._connect.stop()

    def _streams(self) -> bool:
        return bool(
            self._stand.sql("select 1 from pg_replication_slots where slot_name = $1 and active", f"bench_{self.name}")
        )

    def _await(self, what: str, check: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS_MAX
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, urllib.error.URLError):
                if check():
                    return
            time.sleep(_LOOK_SECONDS)
        raise DebeziumFailed(f"connector {self.name} never {what}; see {self._connect.log}")
