import pytest

from stack.services import SERVICES
from stack.start_order import ImpossibleOrder, dependents, require_startable


def test_who_is_needed_stops_after_those_who_need_it() -> None:
    needs = {"envoy": {"api"}, "api": {"postgres"}, "relay": {"postgres"}, "postgres": set[str]()}

    assert dependents(needs) == {
        "envoy": frozenset(),
        "api": frozenset({"envoy"}),
        "relay": frozenset(),
        "postgres": frozenset({"api", "relay"}),
    }


def test_a_ring_of_needs_is_refused_by_its_names() -> None:
    with pytest.raises(ImpossibleOrder, match="a, b"):
        require_startable({"a": {"b"}, "b": {"a"}, "c": set()})


def test_a_need_nobody_meets_is_refused() -> None:
    with pytest.raises(ImpossibleOrder, match="relay"):
        require_startable({"relay": {"kafka"}})


def test_the_services_can_be_started() -> None:
    require_startable({"databases": set(), "topics": set(), **{each.name: each.needs for each in SERVICES}})
