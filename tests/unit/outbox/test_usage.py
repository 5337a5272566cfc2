"""Command lines that cannot be meant end with 2 and say which flag, which value, which bound."""

import pytest

from outbox.__main__ import main

DATABASE = ["--dsn", "postgresql://owner@127.0.0.1:1/shop"]
REPUBLISH = ["republish", *DATABASE, "--bootstrap", "127.0.0.1:1", "--topic", "orders", "--reason", "a gap"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tail", *DATABASE, "--limit", "-1"], "--limit: '-1' is no whole number from 1 to 1000000"),
        (["tail", *DATABASE, "--limit", "many"], "--limit: 'many' is no whole number from 1 to 1000000"),
        ([*REPUBLISH, "--key", "7", "--from", "9" * 20], f"--from: '{'9' * 20}' is no whole number from 1 to"),
        ([*REPUBLISH, "--key", "7", "--from", "5", "--to", "2"], "--from 5 lies above --to 2"),
        (
            [*REPUBLISH, "--since", "yesterday"],
            "--since: 'yesterday' is no moment with its offset, as in 2026-11-24T08:00:00Z",
        ),
        ([*REPUBLISH, "--since", "2026-11-24T08:00:00"], "is no moment with its offset, as in 2026-11-24T08:00:00Z"),
        (
            [*REPUBLISH, "--since", "2026-11-24T08:00:00Z", "--until", "2026-11-23T08:00:00Z"],
            "--until needs a --since before it",
        ),
        ([*REPUBLISH, "--key", "7", "--until", "2026-11-23T08:00:00Z"], "--until needs a --since before it"),
        ([*REPUBLISH], "republish what?"),
        (["cursor-reset", *DATABASE, "--reason", "x", "from-seq"], "cursor-reset from-seq --from-seq N"),
        (["cursor-reset", *DATABASE, "--reason", "x", "now", "--from-seq", "7"], "cursor-reset from-seq --from-seq N"),
        (
            ["cursor-reset", *DATABASE, "--reason", "x", "from-seq", "--from-seq", "-5"],
            "'-5' is no whole number from 0",
        ),
        (
            ["relay", *DATABASE, "--bootstrap", "127.0.0.1:1", "--topic", "orders:versoned"],
            "neither NAME nor NAME:versioned",
        ),
        (
            ["relay", *DATABASE, "--bootstrap", "127.0.0.1:1", "--topic", "orders", "--max-bytes", "-1"],
            "--max-bytes: '-1'",
        ),
        (["partitions", *DATABASE, "rebuild", "--execute"], "needs --reason"),
    ],
)
def test_it_is_told_and_nothing_is_asked(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert told in capsys.readouterr().err
