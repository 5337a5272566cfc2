"""The token of a page: says where the next page begins, and for which filter it was made. Opaque to callers.

Layout, in base64url: version (1 byte), the last shown order's id (8), a digest of the filter (8), a digest of all that
(7). No secret: who forges one gets a page he could have asked for.
"""

import base64
import binascii
import hashlib
import struct

from services.loms.domain.errors import Refusal
from services.loms.domain.ids import OrderId
from services.loms.service.listing import Filter

_VERSION = 1
_BODY = struct.Struct(">Bq8s")
_CHECK_BYTES = 7
_TOKEN_CHARS = (_BODY.size + _CHECK_BYTES) // 3 * 4


class BadPageToken(Refusal):
    """The token is none of ours, or was made for another filter."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"page_token: {problem}; leave page_token out for the first page, "
            "then send each next_page_token as it came, with the same filter"
        )
        self.field = "page_token"
        self.problem = problem


def encoded(below: OrderId | None, wanted: Filter) -> str:
    """Return the token of the page below an order; empty where there is no such page."""
    if below is None:
        return ""
    body = _BODY.pack(_VERSION, below, _digest_of(wanted))
    return base64.urlsafe_b64encode(body + _check_of(body)).decode()


def decoded(token: str, wanted: Filter) -> OrderId | None:
    """Return below which order the page begins, None for the first page; raise BadPageToken."""
    if not token:
        return None
    version, below, digest = _BODY.unpack(_body_of(token))
    if version != _VERSION:
        raise BadPageToken("it is not a token of ours")
    if digest != _digest_of(wanted):
        raise BadPageToken("it belongs to another user_id or status")
    return OrderId(below)


def _body_of(token: str) -> bytes:
    """Return what the token carries, once its own digest says that it is whole."""
    raw = b""
    if len(token) == _TOKEN_CHARS and token.isascii():
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
        except binascii.Error:
            raw = b""
    body = raw[: _BODY.size]
    if len(body) != _BODY.size or raw[_BODY.size :] != _check_of(body):
        raise BadPageToken("it is not a token of ours")
    return body


def _digest_of(wanted: Filter) -> bytes:
    text = f"{wanted.user_id or 0}:{wanted.status or ''}"
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _check_of(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK_BYTES, person=b"page token").digest()
