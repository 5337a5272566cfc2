"""Rules the library's own sources keep."""

from pathlib import Path

import outbox

SOURCES = Path(outbox.__file__).parent


def test_nothing_notifies_but_the_wake() -> None:
    """NOTIFY inside a business transaction serialises every commit of the server."""
    notifying = {
        path.name
        for path in SOURCES.rglob("*")
        if path.suffix in {".py", ".sql"} and "pg_notify(" in path.read_text(encoding="utf-8")
    }

    assert notifying == {"wake.py"}


def test_the_library_imports_nothing_of_its_users() -> None:
    ours = {"chassis", "events", "inbox", "rpc", "services", "stack", "verification", "cli"}
    lines = [line for path in SOURCES.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("from ", "import "))}

    assert imported & ours == set()


def test_every_statement_says_what_it_guarantees() -> None:
    silent = [path.name for path in SOURCES.rglob("*.sql") if not path.read_text(encoding="utf-8").startswith("-- ")]

    assert silent == []
