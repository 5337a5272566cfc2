"""What an HTTP caller sees when a request is refused: RFC 9457 problem details, as plain data.

The `code` is the refusal's name, as it is the `reason` of a gRPC answer; `errors` names every field that is wrong with
its value and its bound.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson

from chassis.rpc_errors import facts_of, reason_of

MEDIA_TYPE = "application/problem+json"

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail", "instance", "code", "trace_id"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "instance", "code", "trace_id")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "value", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "value", "message")},
            },
        },
    },
}
"""The JSON schema of a problem, for OpenAPI."""

HttpRefusals = Mapping[type[Exception], HTTPStatus]
"""Which exception is which status; a subclass is answered as its nearest listed base."""

_TEXT_CHARS_MAX = 512
_VALUE_CHARS_MAX = 64
_ERRORS_MAX = 16


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with a request."""

    field: str
    value: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A refusal on its way out."""

    status: HTTPStatus
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    facts: Mapping[str, int | str] = field(default_factory=dict)
    """Members of their own beside the standard ones, for programs; they never replace one of those."""

    def body(self, *, instance: str, trace_id: str) -> bytes:
        """Return the JSON object for a request to `instance`."""
        members: dict[str, Any] = {
            **self.facts,
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "trace_id": trace_id,
        }
        if self.errors:
            members["errors"] = [
                {"field": error.field, "value": error.value, "message": error.message} for error in self.errors
            ]
        return orjson.dumps(members)


INTERNAL = Problem(
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    code="INTERNAL",
    detail="internal error; its trace id tells us where to look",
)

LATE = Problem(
    status=HTTPStatus.GATEWAY_TIMEOUT,
    code="DEADLINE_PASSED",
    detail="the request took longer than it may: send the same request again in a moment",
)
SLOW_BODY = Problem(
    status=HTTPStatus.REQUEST_TIMEOUT, code="REQUEST_TIMEOUT", detail="the request did not arrive in time"
)


def refused(error: Exception, refusals: HttpRefusals) -> Problem | None:
    """Return the answer for an expected refusal, None for an error nobody listed.

    A group of errors, from tasks that ran together, is answered as its first one, if all of them are listed.
    """
    if isinstance(error, ExceptionGroup):
        answers = [refused(inner, refusals) for inner in error.exceptions]
        return answers[0] if all(answers) else None
    status = next((refusals[kind] for kind in type(error).__mro__ if kind in refusals), None)
    if status is None:
        return None
    return Problem(
        status=status,
        code=reason_of(type(error)),
        detail=str(error)[:_TEXT_CHARS_MAX],
        facts={name: _fact(value) for name, value in facts_of(error)},
    )


def _fact(value: Any) -> int | str:
    return value if isinstance(value, int) else str(value)[:_VALUE_CHARS_MAX]


def invalid(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """Return the answer for a request that pydantic refused: 400, never 422."""
    return _invalid([_field_error(error) for error in errors][:_ERRORS_MAX])


def _invalid(found: Sequence[FieldError]) -> Problem:
    detail = "; ".join(f"{error.field}: {error.message}, not {error.value}" for error in found)
    return Problem(
        status=HTTPStatus.BAD_REQUEST, code="INVALID_ARGUMENT", detail=detail[:_TEXT_CHARS_MAX], errors=found
    )


def of_status(status: int, said: str = "") -> Problem:
    """Return the answer for a status the framework decided on: an unknown path, a method that is not allowed.

    `said` is the reason, where there is a better one than the status has.
    """
    known = HTTPStatus(status)
    reason = said if said != known.phrase else ""
    return Problem(status=known, code=known.name, detail=reason or known.description or known.phrase)


def unreadable(error: BaseException) -> Problem:
    """Return the answer for a body that never became values, and say why."""
    match error:
        case UnicodeDecodeError():
            found = FieldError("body", f"what stands at byte {error.start}", "the body is not UTF-8")
        case RecursionError():
            found = FieldError("body", "lists or objects within each other", "the body is nested too deep")
        case _:  # all that is left of what Python's JSON refuses
            digits_max = sys.get_int_max_str_digits()
            found = FieldError("body", "a longer one", f"a number in the body should have at most {digits_max} digits")
    return _invalid([found])


def _field_error(error: Mapping[str, Any]) -> FieldError:
    place, *path = error["loc"]
    if error["type"] == "json_invalid":
        return FieldError(str(place), f"what stands at character {path[0]}", "the body is no JSON")
    name = ".".join(map(str, path)) or str(place)
    return FieldError(name, _shown(error), error["msg"])


def _shown(error: Mapping[str, Any]) -> str:
    """Return the value as the caller wrote it, cut; one that is missing is said to be nothing.

    A value of the body is shown as JSON, so that `"5"` and `5` are told apart; others are text by themselves.
    """
    if error["type"] == "missing":
        return "nothing"
    text = _written(error["input"], in_body=error["loc"][0] == "body")
    text = text.encode(errors="replace").decode()  # JSON may hold half a surrogate pair, an answer may not
    return text if len(text) <= _VALUE_CHARS_MAX else f"{text[:_VALUE_CHARS_MAX]}…"


def _written(value: Any, *, in_body: bool) -> str:
    if isinstance(value, Mapping):
        return f"{len(value)} fields"
    if not in_body:
        return (", ".join(value) if isinstance(value, list) else str(value)) or '""'
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "a list of lists"
