from pathlib import Path

from cli.groups import group_helps


def test_a_module_whose_docstring_names_its_group_is_one(tmp_path: Path) -> None:
    (tmp_path / "orders.py").write_text('"""onelane orders: place and pay."""\n', encoding="utf-8")
    (tmp_path / "verify.py").write_text('"""onelane verify: is it so?\n\nMore."""\n', encoding="utf-8")
    (tmp_path / "output.py").write_text('"""How answers are shown."""\n', encoding="utf-8")
    (tmp_path / "other.py").write_text('"""onelane orders: of another name."""\n', encoding="utf-8")

    assert group_helps(tmp_path) == {"orders": "place and pay.", "verify": "is it so?"}
