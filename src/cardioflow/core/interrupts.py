"""Delivery of keyboard interrupts that Python would drop.

Python runs a signal handler at the next instruction of the main thread. If that is
inside a destructor or a callback of the garbage collector, the ``KeyboardInterrupt``
cannot be caught: Python reports "Exception ignored in …" and continues. jax, which
Grain imports, registers such a callback. As a result, up to half of all Ctrl-C in the
first seconds of a run, when imports create much garbage, had no effect.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["delivered_interrupts", "delivering_interrupts", "raise_interrupt"]

T = TypeVar("T")

_DELAY_S = 0.05

_lock = threading.Lock()
_users = 0
_previous: Any = None


@contextmanager
def delivered_interrupts() -> Iterator[None]:
    """Re-raise a ``KeyboardInterrupt`` that a destructor or callback dropped, 50 ms later.

    While such a context is open, this module replaces ``sys.unraisablehook``; its hook
    passes everything else to the previous one.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def delivering_interrupts(stream: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield the items of ``stream`` inside ``delivered_interrupts``, from the first item until it ends or is closed."""
    with delivered_interrupts():
        yield from stream


def raise_interrupt(error: BaseException) -> None:
    """Raise the ``KeyboardInterrupt`` that caused a ``SystemError``; return for any other error.

    Compiled code that is building its result when the interrupt arrives returns both
    the result and the exception. Python turns this into a ``SystemError``, once for
    each function on the way up.
    """
    cause: BaseException | None = error
    while isinstance(cause, SystemError):
        cause = cause.__cause__
    if isinstance(cause, KeyboardInterrupt):
        raise cause


def _enter() -> None:
    global _users, _previous  # noqa: PLW0603 -- sys.unraisablehook is global to the process
    with _lock:
        _users += 1
        if sys.unraisablehook is not _hook:
            _previous, sys.unraisablehook = sys.unraisablehook, _hook


def _leave() -> None:
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        if _users == 0 and sys.unraisablehook is _hook:
            sys.unraisablehook = _previous


def _hook(dropped: Any) -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        # Not at once: the main thread is still where the exception cannot be caught.
        timer = threading.Timer(_DELAY_S, _thread.interrupt_main)
        timer.daemon = True
        timer.start()
    else:
        _previous(dropped)
