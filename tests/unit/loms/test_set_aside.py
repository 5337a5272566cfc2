from services.loms.domain.ids import OrderId
from services.loms.service.set_aside import SetAside

ONE, OTHER = OrderId(1), OrderId(2)


def test_an_order_rests_twice_as_long_each_time_and_a_minute_at_most() -> None:
    aside = SetAside()

    assert [aside.put(ONE, now=0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_an_order_rests_until_its_time_is_over() -> None:
    aside = SetAside()
    aside.put(ONE, now=10.0)
    aside.put(OTHER, now=10.5)

    assert [list(aside.at(now)) for now in (10.9, 11.0, 11.5)] == [[ONE, OTHER], [OTHER], []]


def test_what_is_settled_starts_anew() -> None:
    aside = SetAside()
    aside.put(ONE, now=0)
    aside.put(ONE, now=0)

    aside.forget(ONE)

    assert list(aside.at(0)) == []
    assert aside.put(ONE, now=0) == 1


def test_no_more_than_a_thousand_orders_are_remembered() -> None:
    aside = SetAside()

    for order_id in range(1, 1_002):
        aside.put(OrderId(order_id), now=0)

    assert set(aside.at(0)) == set(range(2, 1_002))
