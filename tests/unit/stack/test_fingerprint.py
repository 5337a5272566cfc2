from pathlib import Path

from stack.fingerprint import Marker, fingerprint


def test_only_a_change_of_facts_or_sources_changes_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "one.sql").write_text("select 1", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("a", encoding="utf-8")
    before = fingerprint([tmp_path], "fact")

    (tmp_path / "notes.txt").write_text("b", encoding="utf-8")
    assert fingerprint([tmp_path], "fact") == before
    assert fingerprint([tmp_path], "another") != before

    (tmp_path / "one.sql").write_text("select 2", encoding="utf-8")
    assert fingerprint([tmp_path], "fact") != before


def test_a_marker_says_only_what_was_written(tmp_path: Path) -> None:
    marker = Marker(tmp_path / "prepared")

    assert not marker.says("x")
    marker.write("x")
    assert marker.says("x")
    assert not marker.says("y")
