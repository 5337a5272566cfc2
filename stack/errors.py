"""What can keep the stack from standing, each with its cure."""

from pathlib import Path


class StackError(Exception):
    """A fact that stopped the stack, and what a person can do about it.

    The text is the fact, then `cure:` on its own line.
    """

    def __init__(self, fact: str, *, cure: str) -> None:
        super().__init__(f"{fact}\ncure: {cure}")
        self.fact = fact
        self.cure = cure


class PortInUse(StackError):
    """Somebody else listens where a server of ours should."""

    def __init__(self, port: int, *, setting: str, holder: str | None) -> None:
        by = f" by {holder}" if holder else ""
        super().__init__(
            f"port {port} ({setting}) is in use{by}",
            cure=f"stop that program, or choose another port with {setting}",
        )
        self.port = port
        self.setting = setting
        self.holder = holder


class FolderInUse(StackError):
    """Another living program runs a server on this folder."""

    def __init__(self, folder: Path, *, name: str) -> None:
        super().__init__(
            f"{name} already runs on {folder}, started by another program",
            cure="stop that program first, or choose another folder",
        )


class ClusterHasOtherSize(StackError):
    """The data on a folder belongs to a cluster of another number of brokers."""

    def __init__(self, folder: Path, *, made: int, asked: int) -> None:
        super().__init__(
            f"the Kafka data in {folder} was made by {made} broker(s), {asked} asked for",
            cure=f"ask for {made}, or delete the data first (onelane reset --execute)",
        )


class ServerFailed(StackError):
    """A server ended, or did not become ready in time; carries the end of its log."""

    def __init__(self, name: str, reason: str, *, log: Path, last_lines: str) -> None:
        super().__init__(f"{name} {reason}\n{last_lines}".rstrip(), cure=f"read the whole log: {log}")


class JarRefused(StackError):
    """A repository serves a jar that is not the one the lock file names."""

    def __init__(self, coordinates: str, *, expected: str, found: str) -> None:
        super().__init__(
            f"{coordinates}: what was fetched has sha256 {found}, the lock file says {expected}",
            cure="do not trust that repository; fetch from another mirror",
        )
        self.coordinates = coordinates


class JarUnavailable(StackError):
    """A jar could not be fetched."""

    def __init__(self, coordinates: str, *, reason: str) -> None:
        super().__init__(
            f"{coordinates} could not be fetched: {reason}",
            cure="check the network, or name a Maven mirror your machine can reach",
        )
        self.coordinates = coordinates


class ToolMissing(StackError):
    """A program the stack needs is not on this machine."""
