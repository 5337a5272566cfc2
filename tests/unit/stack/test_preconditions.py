from pathlib import Path

from stack.preconditions import disk_space, jars, memory, preconditions, python_version

GIB = 1 << 30


def test_an_old_python_is_named_with_its_cure() -> None:
    assert python_version((3, 11)).ok

    finding = python_version((3, 10))

    assert (finding.ok, finding.detail) == (False, "3.10")
    assert "make PYTHON=" in finding.cure


def test_a_full_disk_and_full_memory_are_wrong() -> None:
    assert [disk_space(GIB).ok, disk_space(3 * GIB).ok] == [False, True]
    assert [memory(GIB).ok, memory(3 * GIB).ok] == [False, True]


def test_missing_jars_are_not_wrong_for_the_first_start_fetches_them(tmp_path: Path) -> None:
    finding = jars(tmp_path)

    assert finding.ok
    assert finding.detail.startswith("0 of 46 in ")
    assert "the first start fetches the others" in finding.detail


def test_this_machine_can_carry_the_stack(tmp_path: Path) -> None:
    assert [finding for finding in preconditions(tmp_path / "not" / "yet") if not finding.ok] == []
