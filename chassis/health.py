"""`/livez`, `/readyz` and `/metrics` of one process.

`/livez` never looks at a dependency: a database that is away is no reason to restart us. `/readyz` runs the checks it
was given, at the same time and each within a bound, and answers 200 or 503 with one JSON object that names each.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from chassis.asgi import AsgiServer, Receive, Scope, Send
from chassis.logs import get_logger

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency can be used, raises otherwise."""

_JSON = "application/json"

log = get_logger()


class Health(AsgiServer):
    """The health server of a process. List it first: it answers while the rest still starts."""

    def __init__(
        self,
        address: str,
        checks: Mapping[str, Check],
        *,
        check_seconds_max: float = 2.0,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        super().__init__(address, self._answer)
        self.name = f"health {address}"
        self._checks = dict(checks)
        self._check_seconds_max = check_seconds_max
        self._registry = registry
        self._was_ready: bool | None = None

    async def _answer(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, kind, body = await self._page(scope["method"], scope["path"])
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        sent = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})

    async def _page(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return 405, _JSON, b'{"status": "method not allowed"}'
        match path:
            case "/livez":
                return 200, _JSON, b'{"status": "ok"}'
            case "/readyz":
                return await self._readiness()
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
            case _:
                return 404, _JSON, b'{"status": "not found"}'

    async def _readiness(self) -> tuple[int, str, bytes]:
        results = await asyncio.gather(*(self._outcome(check) for check in self._checks.values()))
        checks = dict(zip(self._checks, results, strict=True))
        ready = all(outcome["ok"] for outcome in results)
        self._log_change(ready=ready, checks=checks)
        body = orjson.dumps({"status": "ok" if ready else "not ready", "checks": checks})
        return (200 if ready else 503), _JSON, body

    async def _outcome(self, check: Check) -> dict[str, Any]:
        started = time.perf_counter()
        facts: dict[str, Any] = {"ok": True}
        try:
            async with asyncio.timeout(self._check_seconds_max):
                await check()
        except Exception as error:  # noqa: BLE001 - a check may fail in any way of its driver's; the answer names it
            facts = {"ok": False, "error": type(error).__name__}
        return facts | {"seconds": round(time.perf_counter() - started, 6)}

    def _log_change(self, *, ready: bool, checks: Mapping[str, Any]) -> None:
        if ready != self._was_ready:
            self._was_ready = ready
            log.info("health.readiness_changed", ready=ready, checks=checks)
