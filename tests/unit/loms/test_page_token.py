import base64
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.loms.api.page_token import BadPageToken, decoded, encoded
from services.loms.domain.ids import OrderId, UserId
from services.loms.domain.order import Status
from services.loms.service.listing import Filter

FILTERS = st.builds(
    Filter, user_id=st.none() | st.integers(1, 2**63 - 1).map(UserId), status=st.none() | st.sampled_from(Status)
)
ORDERS = st.integers(1, 2**63 - 1).map(OrderId)
ANY = Filter()


@given(below=ORDERS, wanted=FILTERS)
def test_a_token_says_where_its_page_begins(below: OrderId, wanted: Filter) -> None:
    assert decoded(encoded(below, wanted), wanted) == below


@given(below=ORDERS, wanted=FILTERS, other=FILTERS)
def test_a_token_fits_no_other_filter(below: OrderId, wanted: Filter, other: Filter) -> None:
    if wanted != other:
        with pytest.raises(BadPageToken, match="belongs to another"):
            decoded(encoded(below, wanted), other)


@given(below=ORDERS, position=st.integers(0, 31), character=st.characters())
def test_a_token_with_a_character_changed_is_none(below: OrderId, position: int, character: str) -> None:
    token = encoded(below, ANY)
    changed = token[:position] + character + token[position + 1 :]

    if changed != token:
        with pytest.raises(BadPageToken, match="not a token of ours"):
            decoded(changed, ANY)


@given(garbage=st.text(min_size=1, max_size=64))
def test_any_other_text_is_none(garbage: str) -> None:
    with pytest.raises(BadPageToken):
        decoded(garbage, ANY)


def test_a_whole_token_of_another_version_is_none() -> None:
    body = struct.pack(">Bq8s", 2, 42, bytes(8))
    check = hashlib.blake2b(body, digest_size=7, person=b"page token").digest()

    with pytest.raises(BadPageToken, match="not a token of ours"):
        decoded(base64.urlsafe_b64encode(body + check).decode(), ANY)


def test_there_is_no_token_without_a_next_page() -> None:
    assert encoded(None, ANY) == ""
    assert decoded("", ANY) is None
