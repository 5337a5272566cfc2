"""Whether a container engine answers on this machine."""

import functools
import os
from pathlib import Path

_SECONDS_MAX = 3
_SOCKETS = (Path("/var/run/docker.sock"), Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / "docker.sock")


@functools.cache
def absence() -> str:
    """Why no engine can be used; empty when one answers. Asked once; costs nothing where there is no socket."""
    if "DOCKER_HOST" not in os.environ and not any(socket.exists() for socket in _SOCKETS):
        return "there is no socket of one, and DOCKER_HOST names none"
    import docker  # type: ignore[import-untyped]  # noqa: PLC0415 - a fifth of a second only machines with an engine need
    from docker.errors import DockerException  # type: ignore[import-untyped]  # noqa: PLC0415 - likewise

    try:
        docker.from_env(timeout=_SECONDS_MAX).ping()
    except DockerException as error:
        return " ".join(str(error).split())[:200]
    return ""
