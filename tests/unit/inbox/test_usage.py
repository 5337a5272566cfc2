"""A command that cannot be meant says what is wrong with it and exits with 2."""

import pytest

import inbox.__main__

DECIDE = ["--dsn", "postgresql://h/d", "--consumer", "c", "--topic", "t"]
MOVE = [*DECIDE, "--bootstrap", "b:1"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["install-sql", "--app-role", ""], "argument --app-role: must not be empty"),
        (["release", *DECIDE, "--key", "42", "--reason", " "], "argument --reason: must not be empty"),
        (["parked", "--dsn", "d", "--limit", "0"], "argument --limit: '0' is not a whole number from 1 on"),
        (["status", "--dsn", "d", "--output", "yaml"], "argument --output: 'yaml' is none of table, json"),
        (["reset", *MOVE, "--to", "foo"], "argument --to: 'foo' is none of earliest, latest, keep"),
        (["reset", *MOVE, "--partition", "-1"], "argument --partition: '-1' is not a whole number from 0 on"),
        (["rewind", *MOVE, "--to-offset", "-3"], "argument --to-offset: '-3' is not a whole number from 0 on"),
        (["rewind", *MOVE, "--to-time", "1000-01-01T00:00:00Z"], "argument --to-time: lies before 1970"),
        (["rewind", *MOVE, "--to-time", "2026-11-21"], "argument --to-time: needs a zone"),
        (["rewind", *MOVE, "--to-time", "yesterday"], "argument --to-time: 'yesterday' is not RFC 3339"),
        (["release", *DECIDE, "--key", "42", "--reason", "r", "--wait", "nan"], "argument --wait: 'nan' is no number"),
    ],
)
def test_a_flag_that_cannot_be_meant_is_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        inbox.__main__.main(arguments)

    assert end.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("twin", "arguments", "told"),
    [
        (("INBOX_TO", "foo"), ["reset", *MOVE], "argument --to: 'foo' is none of"),
        (("INBOX_OUTPUT", "yaml"), ["status", "--dsn", "d"], "argument --output: 'yaml' is none of"),
        (("INBOX_DSN", ""), ["status"], "argument --dsn: must not be empty"),
    ],
)
def test_a_variable_is_held_to_what_its_flag_is(
    twin: tuple[str, str],
    arguments: list[str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(*twin)

    with pytest.raises(SystemExit) as end:
        inbox.__main__.main(arguments)

    assert end.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("dsn", ["nonsense", "postgresql://127.0.0.1:abc/d"])
def test_an_address_that_is_none_is_refused(dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert inbox.__main__.main(["status", "--dsn", dsn]) == 2
    assert "--dsn is no address of a database" in capsys.readouterr().err


def test_a_database_that_refuses_connections_is_told_with_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert inbox.__main__.main(["status", "--dsn", "postgresql://postgres@127.0.0.1:1/d"]) == 1
    assert "the database, --dsn: " in capsys.readouterr().err
