"""Uploads that are on their way, of which the slowest makes room when there are too many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, final

from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.sender import Dismissed, Sender

__all__ = ["Arrivals"]

_FAIR_S: Final = 1.0
"""Seconds for which every sender may stay."""


@final
class Arrivals:
    """At most ``most`` uploads at a time.

    When all places are taken, a new upload takes the place of the one that has sent the fewest bytes per second, so
    that senders that are slow on purpose cannot shut out others. No worker is occupied before an upload is complete.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._senders: set[Sender] = set()

    def __len__(self) -> int:
        return len(self._senders)

    @contextmanager
    def place(self, seconds: float) -> Iterator[Sender]:
        """Give a sender that has ``seconds`` for its upload, and keep its place while the context lasts.

        Raises:
            RefusalError: when all places are taken by uploads that have only just begun; inside the context, when the
                upload takes longer than ``seconds``, or is dismissed for another one.
        """
        if len(self._senders) >= self._most:
            self._make_room()
        own = Sender(seconds)
        self._senders.add(own)
        try:
            yield own
        except TimeoutError:
            raise RefusalError(408, f"The file did not arrive within {seconds:g} s.") from None
        except Dismissed:
            raise RefusalError(408, "The server is busy, and the file arrived more slowly than others.") from None
        finally:
            self._senders.discard(own)

    def _make_room(self) -> None:
        settled = [own for own in self._senders if own.waited_s >= _FAIR_S]
        if not settled:
            raise RefusalError(503, "The server is busy. Send the request again in a few seconds.")
        slowest = min(settled, key=lambda own: own.rate)
        self._senders.discard(slowest)
        slowest.dismiss()
