import json
from pathlib import Path

import pytest

from stack.access import Access, masked
from stack.home import Home
from stack.passwords import NAMES, PasswordsUnreadable, passwords_of


def test_passwords_are_made_once_and_only_the_owner_may_read_them(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    first = passwords_of(home)

    assert set(first) == set(NAMES)
    assert len(set(first.values())) == len(NAMES)
    assert passwords_of(home) == first
    assert home.passwords_file.stat().st_mode & 0o777 == 0o600


def test_a_name_that_is_new_gets_one_and_the_old_ones_stay(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.passwords_file.write_text(json.dumps({"loms": "old"}), encoding="utf-8")

    assert passwords_of(home)["loms"] == "old"
    assert passwords_of(home)["verifier"]


def test_broken_passwords_are_refused_rather_than_replaced(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.passwords_file.write_text("{", encoding="utf-8")

    with pytest.raises(PasswordsUnreadable):
        passwords_of(home)


def test_an_address_shows_its_password_only_unmasked() -> None:
    access = Access({"postgres": (5432,), "valkey": (6379,)}, {"loms": "s3cret", "valkey": "k3y"})

    assert access.dsn("loms", "loms") == "postgresql://loms:s3cret@127.0.0.1:5432/loms"
    assert masked(access.dsn("loms", "loms")) == "postgresql://loms:***@127.0.0.1:5432/loms"
    assert masked(access.valkey) == "redis://:***@127.0.0.1:6379/0"
    assert "s3cret" not in repr(access)
