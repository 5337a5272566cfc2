"""The passwords of one home: random, made once, in a file its owner alone may read."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from stack.errors import StackError
from stack.home import Home

NAMES = (
    "cart",
    "cart_owner",
    "loms",
    "loms_owner",
    "notification",
    "notification_owner",
    "product",
    "product_owner",
    "verifier",
    "valkey",
    "valkey_cache",
    "valkey_limits",
    "telegram",
)
_BYTES = 26
_BOT = "1000001"


class PasswordsUnreadable(StackError):
    """The passwords exist and cannot be used: making new ones would lock us out of our own data."""

    def __init__(self, home: Home, reason: str) -> None:
        super().__init__(
            f"{home.passwords_file} cannot be read: {reason}",
            cure="give it back to you (mode 0600), or start from nothing: onelane reset --execute",
        )


def passwords_of(home: Home) -> Mapping[str, str]:
    """The passwords by name, made now if this home has none, completed if a name is new."""
    known = _read(home)
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: _made(name) for name in missing}
        write_secrets(home.passwords_file, known)
    return known


def _made(name: str) -> str:
    """A random password; for the stand-in's bot one shaped as Telegram's tokens are."""
    password = secrets.token_urlsafe(_BYTES)
    return f"{_BOT}:{password}" if name == "telegram" else password


def _read(home: Home) -> dict[str, str]:
    try:
        text = home.passwords_file.read_text(encoding="utf-8")
        return {str(name): str(value) for name, value in json.loads(text).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise PasswordsUnreadable(home, str(error)) from error


def write_secrets(path: Path, document: Mapping[str, object]) -> None:
    """Write for the owner's eyes alone, beside, then rename: a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
    beside.replace(path)
