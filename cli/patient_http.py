"""JSON over HTTP the way a careful person presses again: a call without an answer is repeated until it has one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import httpx
import stamina

from stack.errors import StackError

if TYPE_CHECKING:
    from types import TracebackType

RETRY_SECONDS_MAX = 60.0
"""How long a call is repeated while the service is away: longer than any restart of the stack's own."""

_WAIT_SECONDS_MAX = 1.0
_UNANSWERED = frozenset(
    {
        httpx.codes.CONFLICT,
        httpx.codes.INTERNAL_SERVER_ERROR,
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
        httpx.codes.GATEWAY_TIMEOUT,
    }
)


class ServiceAway(StackError):
    """A service gave no answer for ``RETRY_SECONDS_MAX``; whether a change happened is unknown."""

    def __init__(self, service: str, process: str, path: str, reason: str) -> None:
        super().__init__(
            f"{service} did not answer {path} for {RETRY_SECONDS_MAX:.0f} s: {reason}",
            cure=f"onelane urls shows what runs, onelane logs {process} what it says",
        )


class CannotBeSent(StackError):
    """A call that HTTP has no way to say, so that nobody was asked."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"the call of {path} cannot be sent: {reason}", cure="give another value, such as a key of plain text"
        )


class _NoAnswerYet(Exception):
    """The service or a neighbour of it is away, or busy with the same key: the same call may be repeated."""


class PatientHttp(ABC):
    """One service's calls. Use as an async context manager.

    A subclass names the service for people, the process to look at when it is away, how long one attempt may take,
    and what it raises when the service says no.
    """

    SERVICE: ClassVar[str]
    PROCESS: ClassVar[str]
    ATTEMPT_SECONDS_MAX: ClassVar[float]

    def __init__(self, *, base_url: str, connections_max: int = 64) -> None:
        stamina.instrumentation.set_on_retry_hooks(())  # repeating is the rule here, not news
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=self.ATTEMPT_SECONDS_MAX,
            limits=httpx.Limits(max_connections=connections_max),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the answer, None if it has no body; raises what `_refusal` makes, ServiceAway or CannotBeSent."""
        try:
            async for attempt in stamina.retry_context(
                on=(httpx.TransportError, _NoAnswerYet),
                attempts=None,
                timeout=RETRY_SECONDS_MAX,
                wait_max=_WAIT_SECONDS_MAX,
            ):
                with attempt:
                    return self._answered(await self._sent(method, path, **request))
        except (httpx.TransportError, _NoAnswerYet) as error:
            raise ServiceAway(self.SERVICE, self.PROCESS, path, str(error) or type(error).__name__) from error
        raise AssertionError("unreachable: the retries end with an answer or an exception")

    async def _sent(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return await self._client.request(method, path, **request)
        except httpx.LocalProtocolError as error:
            raise CannotBeSent(path, str(error)) from error

    def _answered(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json() if response.content else None
        if response.status_code in _UNANSWERED:
            raise _NoAnswerYet(f"answered {response.status_code}: {response.text[:200]}")
        raise self._refusal(response.status_code, response.json())

    @abstractmethod
    def _refusal(self, http_status: int, body: Any) -> Exception:
        """What the service's no means."""
