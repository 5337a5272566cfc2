"""Offering a link: a token nobody can guess, shown once, good for one chat and ten minutes."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from services.notification.domain.link import LIFE, TOKEN_BYTES, fingerprint


class InvitationStore(Protocol):
    """Keeps what is needed to recognise a token, never the token."""

    async def put(self, token: bytes, user_id: int, life: timedelta) -> datetime:
        """Keep the fingerprint of a token; return when it ends, by the store's clock."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An offer to link. The token is in no log and in no table."""

    token: str = field(repr=False)
    expires_at: datetime


class Invitations:
    """Makes the tokens that `/start <token>` opens."""

    def __init__(self, *, store: InvitationStore, new_token: Callable[[], str]) -> None:
        self._store = store
        self._new_token = new_token

    async def invite(self, user_id: int, *, life: timedelta = LIFE) -> Invitation:
        """Offer this user's news to the first chat that opens the token and confirms."""
        token = self._new_token()
        return Invitation(token=token, expires_at=await self._store.put(fingerprint(token), user_id, life))


def random_token() -> str:
    """Return 128 random bits in base64url."""
    return secrets.token_urlsafe(TOKEN_BYTES)
