"""An interrupt that arrives where it cannot be caught is raised again a moment later."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from cardioflow.core.interrupts import delivered_interrupts, raise_interrupt


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Heed interrupts: a process in the background of a shell begins with them ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptedWhenDestroyed:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


class FailsWhenDestroyed:
    def __del__(self) -> None:
        raise ValueError("in a destructor")


def wait_after(work: Callable[[], object]) -> None:
    work()
    time.sleep(5)


def test_an_interrupt_dropped_by_a_destructor_is_raised_again() -> None:
    with pytest.raises(KeyboardInterrupt), delivered_interrupts():
        wait_after(InterruptedWhenDestroyed)


def test_an_interrupt_dropped_by_a_callback_of_the_garbage_collector_is_raised_again() -> None:
    left = [1]

    def callback(*_: object) -> None:
        if left:
            left.pop()
            signal.raise_signal(signal.SIGINT)

    gc.callbacks.append(callback)
    try:
        with pytest.raises(KeyboardInterrupt), delivered_interrupts():
            wait_after(gc.collect)
    finally:
        gc.callbacks.remove(callback)


def test_other_exceptions_reach_the_previous_hook_which_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: seen.append(str(dropped.exc_value)))
    before = sys.unraisablehook
    with delivered_interrupts(), delivered_interrupts():
        FailsWhenDestroyed()
    assert seen == ["in a destructor"]
    assert sys.unraisablehook is before


def test_contexts_may_end_in_any_order() -> None:
    before = sys.unraisablehook
    first, second = delivered_interrupts(), delivered_interrupts()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.unraisablehook is not before
    second.__exit__(None, None, None)
    assert sys.unraisablehook is before


def test_an_interrupt_inside_a_system_error_is_raised_and_other_errors_are_not() -> None:
    inner = SystemError("a function returned a result with an exception set")
    inner.__cause__ = KeyboardInterrupt()
    interrupted = SystemError("a kernel returned a result with an exception set")
    interrupted.__cause__ = inner
    with pytest.raises(KeyboardInterrupt):
        raise_interrupt(interrupted)
    raise_interrupt(SystemError("another"))
    raise_interrupt(ValueError("another"))
