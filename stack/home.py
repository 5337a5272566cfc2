"""The folder everything the stack keeps lies in: data, logs, records of processes, state, passwords.

`<checkout>/.onelane` unless ONELANE_HOME names another. Two stacks with two homes do not know of each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
VARIABLE = "ONELANE_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The places inside one home. Naming one does not make it."""

    folder: Path

    @property
    def data(self) -> Path:
        """One folder per server: what must survive a restart."""
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        """`<process>.log` of every process."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """Locks and records of the service processes that run."""
        return self.folder / "run"

    @property
    def state_file(self) -> Path:
        """What runs now: written by the supervisor alone."""
        return self.folder / "state.json"

    @property
    def passwords_file(self) -> Path:
        """The passwords, made once, readable by the owner alone."""
        return self.folder / "secrets.json"

    @property
    def external_file(self) -> Path:
        """Addresses of servers of others, with their passwords: readable by the owner alone."""
        return self.folder / "external.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one supervisor of this home as long as it lives."""
        return self.folder / "supervisor.lock"

    def log(self, process: str) -> Path:
        """The log of one process."""
        return self.logs / f"{process}.log"

    def make(self) -> None:
        """Make the folders that are missing."""
        for folder in (self.data, self.logs, self.run):
            folder.mkdir(parents=True, exist_ok=True)


def home_of(environment: Mapping[str, str]) -> Home:
    """The home the environment names."""
    return Home(Path(environment.get(VARIABLE) or CHECKOUT / ".onelane").absolute())
