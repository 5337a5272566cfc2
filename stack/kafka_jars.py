"""The broker's jars: fetched by exact coordinates, checked against the lock, kept in the ordinary local Maven cache.

- The lock names every jar of the closure with its sha256; nothing is resolved at run time, so nothing can change.
- A jar reaches the cache by one rename after its hash was checked: an interrupted or parallel fetch leaves no half
  file, and a half file somebody else left is fetched anew.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from stack.errors import JarRefused, JarUnavailable

KAFKA_VERSION = "4.3.1"
LOCK = Path(__file__).parent.parent / "deploy" / "kafka" / f"kafka-{KAFKA_VERSION}.lock"
_THREADS = 8

Progress = Callable[[int, int], None]
"""Called with (jars ready, jars in all) after each jar, from the calling thread."""

Download = Callable[[str, Path], Path]
"""From `group:artifact:version` and an empty folder to the jar fetched into it."""


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of the lock file."""

    coordinates: str
    sha256: str

    @property
    def place(self) -> Path:
        """Where a Maven repository keeps it."""
        group, artifact, version = self.coordinates.split(":")
        return Path(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


def locked_jars(lock: Path = LOCK) -> list[LockedJar]:
    """The lines `group:artifact:version sha256` of a lock file."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [LockedJar(*line.split()) for line in lines if line.strip()]


def maven_cache() -> Path:
    """The local Maven cache every tool on this machine shares: M2_REPO, or the one in the home folder."""
    return Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def fetch_jars(
    jars: Sequence[LockedJar], *, download: Download, cache: Path, progress: Progress | None = None
) -> list[Path]:
    """Every jar on disk, in the order given; eight at a time. Raises JarUnavailable or JarRefused."""
    ready = 0
    with ThreadPoolExecutor(_THREADS) as pool:
        asked = [pool.submit(_provide, jar, download, cache) for jar in jars]
        try:
            for answered in as_completed(asked):
                answered.result()
                ready += 1
                if progress is not None:
                    progress(ready, len(jars))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [each.result() for each in asked]


def maven(mirror: str | None = None) -> Download:
    """Download from Maven's central repository, or from a company's mirror of it."""

    def download(coordinates: str, folder: Path) -> Path:
        from jgo.maven import MavenContext  # noqa: PLC0415 - a third of a second that only a first start needs

        repositories = {"central": mirror.rstrip("/")} if mirror else None
        context = MavenContext(repo_cache=folder, remote_repos=repositories, timeout=60)
        group, artifact, version = coordinates.split(":")
        return Path(context.project(group, artifact).at_version(version).artifact(packaging="jar").resolve())

    return download


def _provide(jar: LockedJar, download: Download, cache: Path) -> Path:
    kept = cache / jar.place
    if kept.is_file() and _sha256(kept) == jar.sha256:
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".fetching-") as folder:
        fetched = _fetched(jar, download, Path(folder))
        found = _sha256(fetched)
        if found != jar.sha256:
            raise JarRefused(jar.coordinates, expected=jar.sha256, found=found)
        fetched.replace(kept)
    return kept


def _fetched(jar: LockedJar, download: Download, folder: Path) -> Path:
    try:
        return download(jar.coordinates, folder)
    except Exception as error:  # the network, a proxy, a repository: whatever they say is a reason, not a type
        raise JarUnavailable(jar.coordinates, reason=str(error)) from error


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
