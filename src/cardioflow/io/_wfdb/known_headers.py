"""Headers that were read before, so that those of a data set are parsed once and not in every epoch."""

from __future__ import annotations

from typing import Final, final

from cardioflow.io._wfdb.header import Header, parse

__all__ = ["KNOWN", "KnownHeaders"]

_MOST_BYTES: Final = 3 << 18
"""Of the texts: 10 000 headers of one lead, 1 000 of twelve. What is made of a text takes about ten times as much."""
_PATIENCE: Final = 16
"""How many times as many bytes without one that was known mean that another data set is being read."""


@final
class KnownHeaders:
    """Headers by their paths, each with the bytes that it was made of.

    A header counts as known when its file, which is read again, has those bytes; nothing follows from its time or size,
    so that no change is missed. When there is no room for more, those that are known stay: of a data set that is read
    from end to end again and again, dropping the oldest would drop each one just before it is needed. When none of
    them was of use for long, all are dropped.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._known: dict[str, tuple[bytes, Header]] = {}
        self._n_bytes = 0
        self._unused = 0
        """The bytes of headers that were parsed since one was known."""

    def __len__(self) -> int:
        return len(self._known)

    def parsed(self, raw: bytes, path: str) -> Header:
        """Return the header at ``path`` that has the bytes ``raw``.

        Raises:
            FormatError: as ``parse`` does.
        """
        known = self._known.get(path)
        if known is not None and known[0] == raw:
            self._unused = 0
            return known[1]
        header = parse(raw, path)
        self._unused += len(raw)
        if self._unused > _PATIENCE * self._most_bytes:
            # Several threads may come here together; at worst the counts are a little wrong.
            self._known = {}
            self._n_bytes = self._unused = 0
        if known is not None:
            self._n_bytes -= len(known[0])
        if self._n_bytes + len(raw) <= self._most_bytes:
            self._known[path] = raw, header
            self._n_bytes += len(raw)
        return header


KNOWN: Final = KnownHeaders()
"""Those of this process."""
