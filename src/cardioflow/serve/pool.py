"""Workers behind a queue of bounded length."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, final

from cardioflow.serve.refusal import RefusalError

__all__ = ["Pool"]

T = TypeVar("T")


@final
class Pool:
    """Threads that work on records; at most ``workers + queue`` requests are admitted at a time.

    A place is taken until the work is done, also after the request has timed out, so that work that hangs cannot
    pile up.
    """

    def __init__(self, workers: int, queue: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="cardioflow-serve")
        self._most = workers + queue
        self.admitted = 0
        """Requests that have a place."""

    def refuse_full(self) -> None:
        """Refuse a request while all places are taken.

        Raises:
            RefusalError: when they are.
        """
        if self.admitted >= self._most:
            raise RefusalError(503, "The server is busy. Send the request again in a few seconds.")

    def admit(self) -> None:
        """Take a place.

        Raises:
            RefusalError: when all are taken.
        """
        self.refuse_full()
        self.admitted += 1

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """Return what ``work`` returns; the place is given back when it ends.

        Raises:
            RefusalError: when it takes longer than ``seconds``.
        """
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._ended)
        try:
            return await asyncio.wait_for(asyncio.shield(future), seconds)
        except TimeoutError:
            text = f"The record was not finished within {seconds:g} s. Send a shorter one."
            raise RefusalError(422, text) from None

    def _ended(self, done: asyncio.Future[T]) -> None:
        self.admitted -= 1
        if not done.cancelled():
            # Asked for, so that an error after a time-out is not reported as unhandled.
            done.exception()

    def close(self) -> None:
        """Stop taking work."""
        self._threads.shutdown(wait=False, cancel_futures=True)
