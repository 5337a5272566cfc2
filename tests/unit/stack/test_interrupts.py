"""Ctrl-C counted instead of raised."""

import signal
import threading

import pytest

from stack.interrupts import counted


def test_ctrl_c_inside_is_counted_and_not_raised() -> None:
    with counted() as interrupts:
        before = interrupts.pressed
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        heard = [interrupts.heard(), interrupts.heard()]

    assert not before
    assert interrupts.pressed
    assert heard == [True, False]


def test_behind_it_ctrl_c_is_what_it_was() -> None:
    with counted():
        pass

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with counted() as interrupts:
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)

    assert not interrupts.pressed


def test_another_thread_may_start_a_stack_too() -> None:
    seen = []

    def work() -> None:
        with counted() as interrupts:
            seen.append(interrupts.pressed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)

    assert seen == [False]
