"""How long a client may take to send."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar, final

__all__ = ["Dismissed", "Sender"]

T = TypeVar("T")

_STEP_S: Final = 0.25
"""A pause of the server itself costs its clients no more than this."""


class Dismissed(Exception):  # noqa: N818 -- not an error of the program
    """Others need the place of this sender."""


@final
class Sender:
    """A client that sends, for at most ``seconds``.

    Only the time in which the server listened counts. On a busy machine the process itself can stand still for
    seconds; with a plain time-out it would then refuse uploads that have long arrived.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._dismissed = asyncio.Event()
        self.waited_s = 0.0
        """Seconds in which the server waited for this client."""
        self.size = 0
        """Bytes that have arrived; the caller counts them."""

    @property
    def rate(self) -> float:
        """Bytes per second of waiting."""
        return self.size / self.waited_s if self.waited_s > 0 else float("inf")

    def dismiss(self) -> None:
        """End the wait for this client."""
        self._dismissed.set()

    async def wait_for(self, coming: Coroutine[Any, Any, T]) -> T:
        """Return what ``coming`` returns.

        Raises:
            TimeoutError: when the seconds are used up.
            Dismissed: when ``dismiss`` was called.
        """
        clock = asyncio.get_running_loop().time
        task = asyncio.ensure_future(coming)
        try:
            while not task.done():
                if self._dismissed.is_set():
                    raise Dismissed
                if self.waited_s >= self._seconds:
                    raise TimeoutError
                start = clock()
                step = min(_STEP_S, self._seconds - self.waited_s)
                await asyncio.wait({task}, timeout=step)
                self.waited_s += min(clock() - start, step)
            return task.result()
        finally:
            task.cancel()
