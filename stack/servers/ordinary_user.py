"""Dropping root: some servers refuse it, and none needs it."""

import functools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from stack.errors import ToolMissing

_CANDIDATES = ("postgres", "nobody")
_REACH = ("--inh-caps=+dac_override,+dac_read_search", "--ambient-caps=+dac_override,+dac_read_search")


@dataclass(frozen=True, slots=True)
class OrdinaryUser:
    """Who a server runs as: `prefix` goes before its argv; empty when we are an ordinary user ourselves."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


@functools.cache
def ordinary_user() -> OrdinaryUser:
    """Ourselves if we are not root; else an existing user without a password, reaching folders only root can enter.

    Raises ToolMissing when root cannot be dropped.
    """
    if os.geteuid() != 0:
        return OrdinaryUser()
    setpriv = shutil.which("setpriv")
    user = next(filter(None, map(_entry, _CANDIDATES)), None)
    if setpriv is None or user is None:
        raise ToolMissing("root cannot be dropped: no setpriv, or no user to become", cure="run as an ordinary user")
    become = (setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    reach = _REACH if _works((*become, *_REACH)) else ()
    return OrdinaryUser(prefix=(*become, *reach, "--"), uid=user.pw_uid, gid=user.pw_gid)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _works(prefix: tuple[str, ...]) -> bool:
    """Whether this machine grants what the prefix asks for; a confined root may lack the capabilities."""
    return subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0  # noqa: S603 - our own argv
