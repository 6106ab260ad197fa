"""What sinks have begun to write since the last checkpoint: a run that goes on does not refuse its own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, final

__all__ = ["Journal"]

_NAME: Final = "written-{:06d}.jsonl"


@final
class Journal:
    """One line per batch and sink: which rows were about to be written, none of which was there before.

    The line is written first. A run that is killed and goes on thus knows the
    files that may be its own, and writes those again, with the same content;
    every other file that is in the way is not its own, and is refused as in a
    run that was never stopped.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: Any = None
        self._begun: dict[tuple[int, str], set[str]] = {}

    def restore(self, number: int) -> None:
        """Read what was begun after checkpoint ``number`` and later ones, and go on writing there."""
        self._begun.clear()
        for path in sorted(self._folder.glob(_NAME.replace("{:06d}", "*"))):
            if _number(path) >= number:
                self._read(path)
        self._open(number)

    def follow(self, number: int, next_batch: int) -> None:
        """Begin anew after checkpoint ``number``, from which a run goes on with ``next_batch``."""
        # A run that was stopped earlier may have come further than this one so far.
        self._begun = {key: rows for key, rows in self._begun.items() if key[0] >= next_batch}
        self._open(number)
        for (batch, step), rows in self._begun.items():
            self._write(batch, step, sorted(rows))
        self._file.flush()

    def forget(self, oldest: int) -> None:
        """Remove what was begun before checkpoint ``oldest``, the first that is still there."""
        for path in self._folder.glob(_NAME.replace("{:06d}", "*")):
            if _number(path) < oldest:
                path.unlink(missing_ok=True)

    def begin(self, batch: int, step: str, rows: list[str]) -> frozenset[str]:
        """Note that ``step`` is about to write ``rows``; return those that were begun before."""
        if rows:
            self._write(batch, step, rows)
            # To the operating system: a process that is killed loses nothing of it.
            self._file.flush()
        return frozenset(self._begun.get((batch, step), ()))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, number: int) -> None:
        self.close()
        self._file = (self._folder / _NAME.format(number)).open("a", encoding="utf-8")

    def _write(self, batch: int, step: str, rows: list[str]) -> None:
        self._file.write(json.dumps([batch, step, rows]) + "\n")

    def _read(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                batch, step, rows = json.loads(line)
                self._begun.setdefault((int(batch), str(step)), set()).update(map(str, rows))
            except (ValueError, TypeError):
                # The last line of a run that was killed while it wrote the line: no file of it was begun.
                continue


def _number(path: Path) -> int:
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isdigit() else -1
