"""Links between accounts and chats: the token that carries one, and how an account is named to a stranger."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

TOKEN_BYTES = 16
"""128 bits: guessing one within its life is hopeless, and 22 characters of base64url fit a deep link (64)."""

LIFE = timedelta(minutes=10)

_DIGITS_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An offer to tell a chat about an account's orders. It belongs to the first chat that opens it."""

    link_id: int
    user_id: int


def fingerprint(token: str) -> bytes:
    """Return what is stored of a token: it is random, so a plain hash cannot be turned back."""
    return sha256(token.encode()).digest()


def masked(user_id: int) -> str:
    """Name an account so that its owner recognises it and nobody else learns it: three dots, the last two digits."""
    return f"•••{str(user_id)[-_DIGITS_SHOWN:]}"
