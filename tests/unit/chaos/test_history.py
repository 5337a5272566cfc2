"""What clients write down survives them, and an unfinished line was never said."""

from pathlib import Path

from tests.chaos.facts import Attempt, Outcome
from tests.chaos.history import History, open_attempts, read_histories


def test_attempts_are_read_back_as_they_ended(tmp_path: Path) -> None:
    path = tmp_path / "writer"
    with History(path) as history:
        history.asked("a")
        history.sent("a", 7, [("42", 1)])
        history.asked("b")
        history.ended("a", Outcome.OK)
        history.ended("b", Outcome.REFUSED)
        history.asked("c")

    assert read_histories([path]) == [
        Attempt("a", Outcome.OK, 7, [("42", 1)]),
        Attempt("b", Outcome.REFUSED),
        Attempt("c", Outcome.UNKNOWN),
    ]
    assert open_attempts(path) == 1


def test_a_line_cut_short_was_never_said(tmp_path: Path) -> None:
    path = tmp_path / "writer"
    path.write_bytes(b'["asked", "a"]\n["ok", "a')

    assert read_histories([path]) == [Attempt("a", Outcome.UNKNOWN)]
