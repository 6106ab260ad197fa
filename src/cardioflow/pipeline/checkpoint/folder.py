"""The folder of a run's checkpoints: numbered, each complete or absent, with checksums."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, final

from cardioflow.core.atomic import unsynced, whole_folder
from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import CardioFlowError, CheckpointError, FormatError, WriteError

__all__ = ["CheckpointFolder", "number_of", "run_of"]

_NAME: Final = re.compile(r"checkpoint-(\d{6,})")
_INDEX: Final = "files.json"
_FORMAT: Final = "cardioflow-checkpoint"
VERSION: Final = 1
_CHUNK: Final = 1 << 20


@final
class CheckpointFolder:
    """Writes ``checkpoint-000001``, ``checkpoint-000002`` … and removes all but the last ``keep``."""

    def __init__(self, path: Path, keep: int) -> None:
        self.path = path
        self._keep = keep
        self._damaged: set[Path] = set()

    def latest(self) -> Path | None:
        """Return the newest checkpoint that is whole, ``None`` where there is none yet.

        Each that is damaged is named in a warning.

        Raises:
            CheckpointError: when there are some and all of them are damaged, or one is of a later version.
        """
        known = self._known()
        reasons = []
        for own in reversed(known):
            try:
                _check(own)
            except FormatError as error:
                reasons.append(f"{own.name}: {error}")
                self._damaged.add(own)
                continue
            if reasons:
                warnings.warn(
                    f"A checkpoint in {str(self.path)!r} is damaged, and the run goes on from {own.name}. "
                    f"{' '.join(reasons)}",
                    stacklevel=2,
                )
            return own
        if known:
            raise CheckpointError(
                f"All checkpoints in {str(self.path)!r} are damaged. {' '.join(reasons)} Remove the folder to start "
                "the run anew."
            )
        return None

    def oldest(self) -> int:
        """Return the number of the first checkpoint that is there."""
        return min(map(number_of, self._known()), default=0)

    def write(self, run: Mapping[str, Any], fill: Callable[[Path], None]) -> Path:
        """Write the next checkpoint of ``run``, whose files ``fill`` writes into the folder that it is given.

        Raises:
            WriteError: when the disk is full, or the folder cannot be written to. Earlier checkpoints stay.
        """
        known = self._known()
        kept = [own for own in known if own not in self._damaged]
        path = self.path / f"checkpoint-{1 + max(map(number_of, known), default=0):06d}"
        try:
            with whole_folder(path) as folder:
                with unsynced():
                    # All of it is synced once, when the folder gets its name.
                    fill(folder)
                _write_index(folder, run)
        except WriteError as error:
            last = f" The same call goes on from {str(kept[-1])!r}, the last one." if kept else ""
            raise WriteError(f"The checkpoint of the run was not written: {error}{last}") from error
        for own in {*self._damaged, *kept[: max(0, len(kept) - self._keep + 1)]}:
            shutil.rmtree(own, ignore_errors=True)
        self._damaged.clear()
        return path

    def _known(self) -> list[Path]:
        found = [own for own in self.path.iterdir() if _NAME.fullmatch(own.name) and own.is_dir()]
        return sorted(found, key=number_of)


def number_of(checkpoint: Path) -> int:
    """Return the number of a checkpoint."""
    return int(checkpoint.name.rpartition("-")[2])


def run_of(checkpoint: Path) -> Any:
    """Return what ``write`` was given as the run of ``checkpoint``."""
    return _index(checkpoint)["run"]


def _write_index(folder: Path, run: Mapping[str, Any]) -> None:
    files = {own.relative_to(folder).as_posix(): _entry(own) for own in sorted(folder.rglob("*")) if own.is_file()}
    text = json.dumps({"format": _FORMAT, "version": VERSION, "run": run, "files": files}, indent=1)
    (folder / _INDEX).write_text(text, encoding="utf-8")


def _entry(file: Path) -> dict[str, Any]:
    digest = hashlib.blake2b(digest_size=16)
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
    return {"bytes": file.stat().st_size, "blake2b": digest.hexdigest()}


def _check(checkpoint: Path) -> None:
    """Compare every file with its checksum.

    Raises:
        FormatError: for one that is missing or has changed.
        CheckpointError: for a checkpoint of a later version.
    """
    try:
        wrong = [
            name for name, entry in _index(checkpoint)["files"].items() if _entry(_inside(checkpoint, name)) != entry
        ]
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{type(error).__name__}: {error}.") from error
    except CardioFlowError:
        raise
    if wrong:
        raise FormatError(f"{wrong[0]} does not have its checksum.")


def _index(checkpoint: Path) -> Any:
    text = (checkpoint / _INDEX).read_bytes()
    found = parse_limited(text, max_bytes=1 << 26, max_values=1_000_000, max_depth=8)
    if found["format"] != _FORMAT or type(found["version"]) is not int or not isinstance(found["run"], dict):
        raise FormatError(f"{_INDEX} is not that of a checkpoint.")
    if found["version"] > VERSION:
        raise CheckpointError(
            f"{str(checkpoint)!r} is of version {found['version']}, and this CardioFlow reads versions up to "
            f"{VERSION}. Update CardioFlow."
        )
    return found


def _inside(checkpoint: Path, name: str) -> Path:
    if ".." in Path(name).parts or Path(name).is_absolute():
        raise FormatError(f"{_INDEX} names a file outside the folder.")
    return checkpoint / name
