"""What a button carries proves where it comes from."""

import pytest

from services.notification.domain.seal import Seal

SEAL = Seal("1000000001:for-tests-only")


def test_what_was_sealed_for_a_chat_is_opened_for_that_chat() -> None:
    assert SEAL.open(70, SEAL.seal(70, "o:42:3:d")) == "o:42:3:d"


def test_a_button_of_one_chat_is_worth_nothing_in_another() -> None:
    assert SEAL.open(71, SEAL.seal(70, "o:42:3:d")) is None


def test_a_button_of_another_bot_is_worth_nothing() -> None:
    assert Seal("1000000001:another").open(70, SEAL.seal(70, "o:42:3:d")) is None


@pytest.mark.parametrize(
    "forged", ["", ":", "o:42:3:d", "o:42:3:d:", "o:42:3:d:AAAAAAAAAAAA", "o:42:3:d:ключ", "д" * 40]
)
def test_what_nobody_sealed_is_not_opened(forged: str) -> None:
    assert SEAL.open(70, forged) is None


def test_a_changed_order_breaks_the_seal() -> None:
    sealed = SEAL.seal(70, "o:42:3:d")

    assert SEAL.open(70, sealed.replace("42", "43")) is None


def test_the_longest_button_fits_telegrams_bound() -> None:
    longest = SEAL.seal(-(2**63), f"o:{2**63 - 1}:{2**63 - 1}:d")

    assert len(longest.encode()) <= 64
