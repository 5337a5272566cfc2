"""The broker's jars: only what the lock file names ever reaches the class path."""

import hashlib
from pathlib import Path

import pytest

from stack.errors import JarRefused, JarUnavailable
from stack.kafka_jars import Download, LockedJar, fetch_jars, locked_jars

CONTENT = b"the jar"
JAR = LockedJar("org.example:broker:1.0", hashlib.sha256(CONTENT).hexdigest())
PLACE = Path("org/example/broker/1.0/broker-1.0.jar")


def serving(content: bytes, asked: list[str] | None = None) -> Download:
    """A repository that serves this content for everything."""

    def download(coordinates: str, folder: Path) -> Path:
        if asked is not None:
            asked.append(coordinates)
        fetched = folder / "fetched.jar"
        fetched.write_bytes(content)
        return fetched

    return download


def unreachable(coordinates: str, folder: Path) -> Path:
    raise ConnectionError(f"no route for {coordinates} to {folder.name}")


def test_a_fetched_jar_lies_where_maven_keeps_it(tmp_path: Path) -> None:
    paths = fetch_jars([JAR], download=serving(CONTENT), cache=tmp_path)

    assert paths == [tmp_path / PLACE]
    assert paths[0].read_bytes() == CONTENT


def test_a_jar_in_the_cache_is_not_fetched_again(tmp_path: Path) -> None:
    asked: list[str] = []
    fetch_jars([JAR], download=serving(CONTENT), cache=tmp_path)

    fetch_jars([JAR], download=serving(CONTENT, asked), cache=tmp_path)

    assert asked == []


def test_a_jar_with_another_hash_is_refused_and_never_reaches_the_cache(tmp_path: Path) -> None:
    with pytest.raises(JarRefused, match=r"org\.example:broker:1\.0"):
        fetch_jars([JAR], download=serving(b"another jar"), cache=tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_half_a_jar_in_the_cache_is_fetched_anew(tmp_path: Path) -> None:
    (tmp_path / PLACE).parent.mkdir(parents=True)
    (tmp_path / PLACE).write_bytes(CONTENT[:3])

    fetch_jars([JAR], download=serving(CONTENT), cache=tmp_path)

    assert (tmp_path / PLACE).read_bytes() == CONTENT


def test_a_repository_out_of_reach_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(JarUnavailable, match="no route") as refusal:
        fetch_jars([JAR], download=unreachable, cache=tmp_path)

    assert "Maven mirror" in refusal.value.cure


def test_progress_tells_every_jar(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    jars = [LockedJar(f"org.example:part{i}:1.0", JAR.sha256) for i in range(3)]

    fetch_jars(jars, download=serving(CONTENT), cache=tmp_path, progress=lambda *step: told.append(step))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_jars_keep_the_order_of_the_lock(tmp_path: Path) -> None:
    jars = [LockedJar(f"org.example:part{i}:1.0", JAR.sha256) for i in range(10)]

    paths = fetch_jars(jars, download=serving(CONTENT), cache=tmp_path)

    assert [path.name for path in paths] == [f"part{i}-1.0.jar" for i in range(10)]


def test_the_lock_file_names_the_whole_closure() -> None:
    jars = locked_jars()

    assert len(jars) == 46
    assert {"org.apache.kafka:kafka_2.13:4.3.1", "org.apache.kafka:kafka-clients:4.3.1"} <= {
        j.coordinates for j in jars
    }
    assert all(len(jar.sha256) == 64 for jar in jars)
