"""What a gRPC caller sees when a call is refused: code, text, and `google.rpc` details.

Every refusal carries an `ErrorInfo` whose reason is the refusal's name. Details travel in response metadata, which is
limited to about 8 KiB: texts and lists are cut well below it, because an answer over the limit loses all of it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from protovalidate import FieldPathElementPb, Violation

Refusals = Mapping[type[Exception], grpc.StatusCode]
"""Which exception is which answer; a subclass is answered as its nearest listed base."""

STATUS_DETAILS_KEY = "grpc-status-details-bin"

_TEXT_CHARS_MAX = 512
_VALUE_CHARS_MAX = 64
_VIOLATIONS_MAX = 8
_METADATA_MAX = 16
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A refusal on its way out."""

    code: grpc.StatusCode
    reason: str
    text: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()

    def status_details(self, domain: str) -> bytes:
        """Return the serialized `google.rpc.Status`, for the trailer `grpc-status-details-bin`."""
        number: int = self.code.value[0]
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=domain, metadata=self.metadata)
        details = [_packed(info)]
        if self.violations:
            details.append(_packed(_bad_request(self.violations)))
        status: bytes = status_pb2.Status(code=number, message=self.text, details=details).SerializeToString()
        return status


def refused(error: Exception, refusals: Refusals) -> Answer | None:
    """Return the answer for an expected refusal, None for an error nobody listed.

    A group of errors, from tasks that ran together, is answered as its first one, if all of them are listed.
    """
    if isinstance(error, ExceptionGroup):
        answers = [refused(inner, refusals) for inner in error.exceptions]
        return answers[0] if all(answers) else None
    code = next((refusals[kind] for kind in type(error).__mro__ if kind in refusals), None)
    if code is None:
        return None
    return Answer(
        code=code,
        reason=reason_of(type(error)),
        text=str(error)[:_TEXT_CHARS_MAX],
        metadata={name: str(value)[:_VALUE_CHARS_MAX] for name, value in facts_of(error)},
    )


def invalid(violations: Sequence[Violation]) -> Answer:
    """Return the answer for a request that breaks rules of its proto: field, value and rule are named."""
    first = violations[0]
    text = "; ".join(_sentence(violation) for violation in violations[:_VIOLATIONS_MAX])
    return Answer(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_ARGUMENT",
        text=text[:_TEXT_CHARS_MAX],
        metadata={"field": _path_of(first), "value": _value_of(first), "rule": first.proto.rule_id},
        violations=violations[:_VIOLATIONS_MAX],
    )


def undecodable() -> Answer:
    """Return the answer for bytes that are no message of the method's request type."""
    return Answer(
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="INVALID_ARGUMENT",
        text="the request is not a message of this method",
    )


def unimplemented() -> Answer:
    """Return the answer for a method the proto names and this server does not have yet."""
    return Answer(code=grpc.StatusCode.UNIMPLEMENTED, reason="UNIMPLEMENTED", text="this method does not exist here")


def internal(trace_id: str) -> Answer:
    """Return the answer for an error of ours: it says nothing but where to look."""
    return Answer(
        code=grpc.StatusCode.INTERNAL,
        reason="INTERNAL",
        text="internal error",
        metadata={"trace_id": trace_id} if trace_id else {},
    )


def reason_of(kind: type[Exception]) -> str:
    """Return the wire name of a refusal: `OrderNotFound` is `ORDER_NOT_FOUND`."""
    return _WORD_START.sub("_", kind.__name__).upper()


def facts_of(error: Exception) -> Iterator[tuple[str, Any]]:
    """Yield the public attributes of a refusal, a bounded number of them."""
    facts = {**_slots_of(error), **vars(error)}
    public = ((name, value) for name, value in facts.items() if not name.startswith("_"))
    for fact, _ in zip(public, range(_METADATA_MAX), strict=False):
        yield fact


def _slots_of(error: Exception) -> dict[str, Any]:
    names = (name for kind in type(error).__mro__ for name in getattr(kind, "__slots__", ()))
    return {name: getattr(error, name) for name in names if hasattr(error, name)}


def _bad_request(violations: Sequence[Violation]) -> error_details_pb2.BadRequest:
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=_path_of(violation), description=violation.proto.message, reason=violation.proto.rule_id
            )
            for violation in violations
        ]
    )


def _sentence(violation: Violation) -> str:
    path = _path_of(violation)
    rule = violation.proto.message or violation.proto.rule_id
    return f"{path}: {rule}, not {_value_of(violation)}" if path else rule


def _path_of(violation: Violation) -> str:
    elements = violation.proto.field.elements if violation.proto.field else []
    return ".".join(_element_text(element) for element in elements)


def _element_text(element: FieldPathElementPb) -> str:
    if element.subscript is None:
        return element.field_name
    return f"{element.field_name}[{element.subscript.value}]"


def _value_of(violation: Violation) -> str:
    value = violation.field_value
    if isinstance(value, Message):
        return "a message"
    if isinstance(value, Sized) and not isinstance(value, str | bytes):
        return f"{len(value)} items"
    text = str(value)
    return text if len(text) <= _VALUE_CHARS_MAX else f"{text[:_VALUE_CHARS_MAX]}…"


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
