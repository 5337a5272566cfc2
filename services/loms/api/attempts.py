"""The idempotency key of a call, read from its metadata; the mark of an answer that was given before."""

import hashlib
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from google.protobuf.message import Message

from services.loms.api.errors import BadIdempotencyKey
from services.loms.service.attempts import Answer, Attempt

if TYPE_CHECKING:
    import grpc

    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

KEY = "idempotency-key"
REPLAYED = ("idempotency-replayed", "true")
KEY_LENGTH_MAX = 255


def attempt_of(request: Message, context: "Context", *, scope: Literal["user", "order"], owner: int) -> Attempt | None:
    """Return the call as an attempt, None if it carries no key. Raises BadIdempotencyKey."""
    key = next((value for name, value in context.invocation_metadata() or () if name == KEY), None)
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise BadIdempotencyKey(len(key), KEY_LENGTH_MAX)
    return Attempt(scope, owner, str(key), _fingerprint(request))


async def mark(answer: Answer, context: "Context") -> None:
    """Say in the response's headers whether this is the answer of an earlier attempt."""
    if answer.replayed:
        await context.send_initial_metadata((REPLAYED,))


def _fingerprint(request: Message) -> bytes:
    """Hash the method's request type and the body: the same for gRPC and HTTP."""
    body = request.DESCRIPTOR.full_name.encode() + b"\n" + request.SerializeToString(deterministic=True)
    return hashlib.sha256(body).digest()
