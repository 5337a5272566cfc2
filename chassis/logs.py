"""One JSON line a fact, on standard output.

Every line carries `at` (RFC 3339, microseconds, UTC), `level`, `service`, `process`, `event` and, inside a span,
`trace_id` and `span_id`. What the libraries say through the standard library's logging comes out in the same shape.
A text given as a secret never reaches the output, whoever logs it.
"""

import logging
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import orjson
import structlog
from opentelemetry import trace
from structlog.typing import FilteringBoundLogger

LEVELS = ("debug", "info", "warning", "error")

_MASK = "***"
_STACK_CHARS_MAX = 8_000
_TALKATIVE = ("httpx", "httpcore", "uvicorn")
"""Libraries whose lines below a warning repeat whole URLs, or what our own lines say already."""

_REPEAT_SECONDS = 10.0
_MESSAGES_REMEMBERED_MAX = 256

_Facts = MutableMapping[str, Any]


def configure(
    service: str,
    process: str,
    level: str = "info",
    *,
    secrets: Iterable[str] = (),
    output: TextIO | None = None,
) -> None:
    """Send every log line of this process, ours and the libraries', to standard output as JSON.

    `level` is one of `LEVELS`. `secrets` are texts (tokens, passwords) that are replaced by `***` wherever they appear.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            _Identity(service, process),
            _exception_facts,
            _Renderer(secrets),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(output or sys.stdout),
        cache_logger_on_first_use=False,
    )
    _capture_libraries(threshold)


def get_logger() -> FilteringBoundLogger:
    """Return a logger: `log.info("relay.lease_taken", epoch=3)`; the event is a dotted name, the facts are keys."""
    return cast("FilteringBoundLogger", structlog.get_logger())


class _Identity:
    """Adds when, who and which span."""

    def __init__(self, service: str, process: str) -> None:
        self._service = service
        self._process = process

    def __call__(self, _logger: object, _method: str, facts: _Facts) -> _Facts:
        now = datetime.now(UTC)  # noqa: TID251 - a log line is stamped by the machine, not by the domain's clock
        line: _Facts = {
            "at": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": facts.pop("level"),
            "service": self._service,
            "process": self._process,
            "event": facts.pop("event"),
        }
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            line["trace_id"] = f"{span.trace_id:032x}"
            line["span_id"] = f"{span.span_id:016x}"
        line.update(facts)
        return line


def _exception_facts(_logger: object, _method: str, facts: _Facts) -> _Facts:
    """Turn `exc_info` into the error's name, its text and its stack."""
    given = facts.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        facts["error"] = type(error).__qualname__
        facts["error_text"] = str(error)
        facts["stack"] = "".join(traceback.format_exception(error))[-_STACK_CHARS_MAX:]
    return facts


class _Renderer:
    """Writes the line, without the secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [orjson.dumps(secret).decode()[1:-1] for secret in secrets if secret]

    def __call__(self, _logger: object, _method: str, facts: _Facts) -> str:
        line = orjson.dumps(facts, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()
        for secret in self._secrets:
            line = line.replace(secret, _MASK)
        return line


class _Forward(logging.Handler):
    """Hands a library's log record to the same output; the record's logger name is the event.

    A library that repeats itself (a broker or a collector is away) is heard once in `_REPEAT_SECONDS` for each of its
    messages; `repeated` then counts what was left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[tuple[str, str], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as a line of ours, unless the same message was written a moment ago."""
        message = (record.name, str(record.msg))
        since, left_out = self._heard.get(message, (float("-inf"), 0))
        if record.created - since < _REPEAT_SECONDS:
            self._heard[message] = (since, left_out + 1)
            return
        if len(self._heard) >= _MESSAGES_REMEMBERED_MAX:
            self._heard.clear()
        self._heard[message] = (record.created, 0)
        facts: dict[str, Any] = {"repeated": left_out} if left_out else {}
        if record.exc_info:
            facts["exc_info"] = record.exc_info[1]
        get_logger().log(record.levelno, record.name, message=record.getMessage(), **facts)


def _capture_libraries(threshold: int) -> None:
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(max(threshold, logging.INFO))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
