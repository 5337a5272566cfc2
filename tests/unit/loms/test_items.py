import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.loms.domain.errors import CountTooLarge
from services.loms.domain.ids import Sku
from services.loms.domain.items import Item, summed
from services.loms.domain.stock import Stock

LINES = st.lists(st.builds(Item, st.integers(1, 5), st.integers(1, 1_000)), max_size=20)


def test_lines_of_one_sku_are_added_and_skus_come_in_order() -> None:
    lines = [Item(Sku(3), 1), Item(Sku(1), 2), Item(Sku(3), 4)]

    assert summed(lines) == (Item(Sku(1), 2), Item(Sku(3), 5))


def test_the_largest_count_is_a_count_and_one_more_is_not() -> None:
    assert summed([Item(Sku(1), 2**32 - 2), Item(Sku(1), 1)]) == (Item(Sku(1), 2**32 - 1),)
    with pytest.raises(CountTooLarge, match="the lines of sku 1 add up to 4294967296"):
        summed([Item(Sku(1), 2**32 - 1), Item(Sku(1), 1)])


@given(LINES)
def test_summing_loses_no_piece_and_names_each_sku_once_in_order(lines: list[Item]) -> None:
    items = summed(lines)

    assert sum(item.count for item in items) == sum(line.count for line in lines)
    assert [item.sku for item in items] == sorted({line.sku for line in lines})


@pytest.mark.parametrize(("total", "reserved", "available"), [(300, 35, 265), (100, 100, 0), (100, 101, 0)])
def test_what_is_available_is_never_below_zero(total: int, reserved: int, available: int) -> None:
    assert Stock(Sku(1), total, reserved).available == available
