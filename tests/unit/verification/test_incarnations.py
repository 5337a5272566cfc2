"""Who sent a record, who came after whom, and until when somebody was at work."""

from __future__ import annotations

import pytest

from verification.incarnations import Incarnation, Incarnations


def owner(epoch: int, *, history: str = "7300/1", sent: tuple[float, ...] = ()) -> Incarnation:
    made = Incarnation(history, epoch)
    for at in sent:
        made.sent(at)
    return made


def test_records_of_one_owner_share_its_number() -> None:
    senders = Incarnations()

    numbers = [senders.seen(b"7300/1", epoch, 100.0) for epoch in (b"1", b"2", b"1")]

    assert numbers == [0, 1, 0]
    assert [senders[number].records for number in (0, 1)] == [2, 1]


def test_an_epoch_that_is_no_number_is_nobodys() -> None:
    with pytest.raises(ValueError, match="x"):
        Incarnations().seen(b"7300/1", b"x", 100.0)


def test_a_higher_epoch_of_the_same_database_comes_later_whatever_the_clocks_say() -> None:
    assert owner(1, sent=(900.0,)).precedes(owner(2, history="7300/2", sent=(100.0,)))
    assert not owner(2, history="7300/2").precedes(owner(1))


def test_owners_of_two_databases_come_as_they_began() -> None:
    assert owner(9, sent=(100.0,)).precedes(owner(1, history="8000/1", sent=(200.0,)))


@pytest.mark.parametrize(("moment", "until"), [(99.0, 0.0), (120.0, 103.0), (203.0, 203.0), (500.0, 204.0)])
def test_an_owner_was_at_work_until_the_last_record_it_sent_by_then(moment: float, until: float) -> None:
    assert owner(1, sent=(100.0, 204.0, 103.0)).at_work_until(moment) == until
