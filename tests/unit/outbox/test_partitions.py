"""What should be done about the partitions, decided without a database."""

import pytest

from outbox.partitions import Bar, Layout, Partition, far_start
from outbox.schema import NEAR_WIDTH, XID_MAX

W = 1_000


def _layout(ranges: int, *, near: bool = True) -> Layout:
    pieces = [Partition(f"outbox_{number * W}", number * W, (number + 1) * W) for number in range(ranges)]
    end = ranges * W
    if near:
        pieces.append(Partition(f"outbox_near_{end}", end, end + NEAR_WIDTH))
    pieces.append(Partition(f"outbox_far_{end + NEAR_WIDTH}", end + NEAR_WIDTH, XID_MAX))
    return Layout.of(list(reversed(pieces)))


def test_pieces_are_told_apart_whatever_their_order() -> None:
    layout = _layout(3)

    assert [piece.lower for piece in layout.ranges] == [0, W, 2 * W]
    assert (layout.near is not None, layout.far is not None, layout.pending) == (True, True, ())
    assert (layout.width, layout.end) == (W, 3 * W)


def test_a_missing_near_is_noticed() -> None:
    assert _layout(3, near=False).near is None


def test_a_pending_piece_counts_as_gone() -> None:
    layout = Layout.of([Partition("outbox_0", 0, W), Partition("outbox_near_1000", W, 2 * W, pending=True)])

    assert [piece.name for piece in layout.pending] == ["outbox_near_1000"]
    assert layout.near is None


@pytest.mark.parametrize(("current", "added"), [(0, 0), (11_500, 0), (12_500, 9), (19_999, 16)])
def test_the_lead_is_made_whole_once_half_of_it_is_gone(current: int, added: int) -> None:
    layout = _layout(20)

    missing = layout.missing(current)

    assert len(missing) == added
    if missing:
        assert missing[0] == (20_000, 21_000)
        assert layout.ahead(current) + len(missing) == 16


def test_a_carved_range_does_not_set_the_width() -> None:
    pieces = [Partition("outbox_0", 0, 5 * W), Partition("outbox_5000", 5 * W, 6 * W), Partition("c", 6 * W, 9 * W)]

    assert Layout.of(pieces).width == W


def test_a_range_is_droppable_only_when_every_reader_is_past_it() -> None:
    layout = _layout(4)
    past_two, past_three = Bar(2 * W, frozenset()), Bar(3 * W, frozenset({W + 5}))

    assert [piece.lower for piece in layout.droppable([past_two])] == [0, W]
    assert [piece.lower for piece in layout.droppable([past_three])] == [0, 2 * W]
    assert [piece.lower for piece in layout.droppable([past_two, past_three])] == [0]
    assert layout.droppable([]) == []


def test_far_moves_up_only_when_near_would_be_narrow() -> None:
    far = Partition("outbox_far", 100 + NEAR_WIDTH, XID_MAX)

    assert far_start(100, far) == far.lower
    assert far_start(100 + NEAR_WIDTH, far) == 100 + 2 * NEAR_WIDTH
    assert far_start(100, None) == 100 + NEAR_WIDTH


def test_bounds_are_read_as_the_catalogue_spells_them() -> None:
    listed = {"name": "outbox_0", "bounds": "FOR VALUES FROM ('0') TO ('4194304')", "pending": False}

    assert Partition.of(listed) == Partition("outbox_0", 0, 4_194_304)
    with pytest.raises(ValueError, match="bounds the library did not make"):
        Partition.of({**listed, "bounds": "DEFAULT"})
