"""Signs what buttons carry, so that a tap proves that we made the button, and for which chat.

`o:42:3:d` becomes `o:42:3:d:<seal>`: twelve characters, 72 bits of an HMAC over the chat and the data. A seal proves
where a button comes from, not who may use it: whoever answers a tap still looks who owns what.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

_BYTES = 9
_PURPOSE = b"onelane: the data of buttons, v1"


class Seal:
    """Made from the bot's token, which all replicas share: nothing else needs to be configured or kept secret."""

    def __init__(self, token: str) -> None:
        self._key = hmac.digest(token.encode(), _PURPOSE, sha256)

    def seal(self, chat_id: int, data: str) -> str:
        """Return the data with its seal for this chat."""
        return f"{data}:{self._seal_of(chat_id, data)}"

    def open(self, chat_id: int, sealed: str) -> str | None:
        """Return the data if the seal is ours and of this chat, else None."""
        data, _, seal = sealed.rpartition(":")
        expected = self._seal_of(chat_id, data)
        return data if hmac.compare_digest(seal.encode(), expected.encode()) else None

    def _seal_of(self, chat_id: int, data: str) -> str:
        digest = hmac.digest(self._key, f"{chat_id}|{data}".encode(), sha256)
        return urlsafe_b64encode(digest[:_BYTES]).decode()
