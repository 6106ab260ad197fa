"""Interrupts that Python drops, delivered after all.

Python runs a signal's handler at the next instruction of the main thread. Where
that is inside a destructor or a callback of the garbage collector, nobody can
catch the ``KeyboardInterrupt``: Python reports it as "Exception ignored in …" and
goes on. jax, which Grain imports, registers such a callback, so that up to half of
all Ctrl-C in the first seconds of a run, when imports make much garbage, did nothing.
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
    """Raise a ``KeyboardInterrupt`` that a destructor or callback drops again, a twentieth of a second later.

    While at least one such context is open, ``sys.unraisablehook`` is ours; it
    passes everything else on to the hook before it.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def delivering_interrupts(stream: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield what ``stream`` yields, inside such a context from its first item until it ends or is closed."""
    with delivered_interrupts():
        yield from stream


def raise_interrupt(error: BaseException) -> None:
    """Raise the ``KeyboardInterrupt`` from which a ``SystemError`` was made; return for any other error.

    Compiled code that makes its result when the interrupt arrives returns both the
    result and the exception, of which Python makes a ``SystemError``, once for each
    of the functions that it goes through.
    """
    cause: BaseException | None = error
    while isinstance(cause, SystemError):
        cause = cause.__cause__
    if isinstance(cause, KeyboardInterrupt):
        raise cause


def _enter() -> None:
    global _users, _previous  # noqa: PLW0603 -- the hook that it replaces is the process's own
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
