"""A long-lived process does not walk what start-up made, and still finds its garbage."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from chassis.memory import spare_the_long_lived


class Ring:
    """Only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def _as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("_as_before")
def test_what_was_there_is_left_out_of_collections() -> None:
    there_before = Ring()

    spare_the_long_lived()

    assert all(kept is not there_before for kept in gc.get_objects())


@pytest.mark.usefixtures("_as_before")
def test_cycles_made_afterwards_are_still_collected() -> None:
    spare_the_long_lived()
    ring = weakref.ref(Ring())

    gc.collect()

    assert ring() is None
