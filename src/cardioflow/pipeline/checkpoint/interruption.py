"""Ctrl-C and SIGTERM, held back until the batch at hand is done, so that a run can be saved whole."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self, final

__all__ = ["HeldSignals", "interruption", "interruption_in"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class _Sentence(str):
    """The message of an interruption that is shown as this one line."""

    __slots__ = ()


def interruption(sentence: str) -> KeyboardInterrupt:
    """Return the ``KeyboardInterrupt`` that ends a run; uncaught, Python shows it as ``sentence`` without a traceback.

    It is not a subclass, because only an interpreter that ends with ``KeyboardInterrupt`` itself ends as one that
    Ctrl-C has ended, so that a loop of a shell over several runs ends too.
    """
    _show_in_one_line()
    return KeyboardInterrupt(_Sentence(sentence))


def interruption_in(number: int, total: int | None, *, is_saved: bool) -> KeyboardInterrupt:
    """Return the ``KeyboardInterrupt`` of a run that ended at once, in its batch ``number`` of ``total``."""
    remedy = "Pass checkpoint=… to be able to go on from where a run was interrupted."
    if is_saved:
        remedy = "Run the same call again to go on from its last checkpoint."
    return interruption(f"The run was interrupted in batch {number}{'' if total is None else f' of {total}'}. {remedy}")


@final
class HeldSignals:
    """Notes the first SIGINT or SIGTERM instead of acting on it; a second one acts at once.

    Signals that the program handles in its own way are left alone, and so are
    all of them outside the main thread, where Python allows no handlers.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self.received: signal.Signals | None = None
        """The signal that has come."""

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def act(self, sentence: str) -> None:
        """Do now what the signal asks for, with ``sentence`` as the last word."""
        received = self.received
        self._restore()
        if received == signal.SIGTERM:
            sys.stderr.write(f"{sentence}\n")
            os.kill(os.getpid(), signal.SIGTERM)
        raise interruption(sentence)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()


def _show_in_one_line() -> None:
    """Let Python report an uncaught interruption by its sentence, without the traceback of what it interrupted."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt) and error.args and isinstance(error.args[0], _Sentence):
            sys.stderr.write(f"{error}\n")
        else:
            before(kind, error, trace)

    if getattr(before, "__name__", "") != hook.__name__ or before.__module__ != __name__:
        sys.excepthook = hook
