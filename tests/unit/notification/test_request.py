"""What buttons carry: short, readable, and read back as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification.domain.request import (
    EVERYTHING,
    ID_MAX,
    Action,
    AnswerLink,
    LinkChoice,
    Mute,
    Place,
    Pressed,
    ShowOrders,
    Speak,
    StaleButton,
    Tap,
    data_of,
    pressed,
)
from services.notification.domain.seal import Seal

SEAL = Seal("1000000001:for-tests-only")
IDS = st.integers(min_value=1, max_value=ID_MAX)
REQUESTS = st.one_of(
    st.builds(Tap, st.sampled_from(Place), IDS, IDS, st.sampled_from(Action)),
    st.builds(ShowOrders, st.one_of(st.none(), IDS)),
    st.builds(AnswerLink, IDS, st.sampled_from(LinkChoice)),
    st.builds(Speak, st.sampled_from(["en", "ru"])),
    st.builds(Mute, st.sampled_from(sorted(EVERYTHING))),
)


@given(request=REQUESTS, chat_id=st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_a_button_is_read_as_it_was_written_and_fits_telegrams_bound(request: Pressed, chat_id: int) -> None:
    sealed = SEAL.seal(chat_id, data_of(request))

    assert len(sealed.encode()) <= 64
    assert pressed(SEAL.open(chat_id, sealed) or "") == request


@pytest.mark.parametrize(
    ("request_", "data"),
    [
        (Tap(Place.CARD, 42, 3, Action.DETAILS), "o:42:3:d"),
        (Tap(Place.ANSWER, 42, 3, Action.CANCEL), "s:42:3:x"),
        (ShowOrders(None), "p:0"),
        (ShowOrders(42), "p:42"),
        (AnswerLink(7, LinkChoice.MOVE), "v:7"),
        (Speak("ru"), "l:ru"),
        (Mute(Action.MUTE_HOUR), "g:h"),
    ],
)
def test_every_kind_of_button_has_its_letter(request_: Pressed, data: str) -> None:
    assert data_of(request_) == data


@given(data=st.text(max_size=64))
def test_whatever_comes_back_is_read_without_complaint(data: str) -> None:
    request = pressed(data)

    assert request == StaleButton() or isinstance(request, Pressed)
