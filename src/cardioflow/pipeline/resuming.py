"""How a run with ``checkpoint=`` saves its state and goes on from it."""

from __future__ import annotations

import logging
import os
import random
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from cardioflow.core.atomic import sync_all
from cardioflow.errors import CardioFlowError, CheckpointError, InputError, WriteError
from cardioflow.pipeline.checkpoint.folder import CheckpointFolder, number_of, run_of
from cardioflow.pipeline.checkpoint.identity import check_same
from cardioflow.pipeline.checkpoint.interruption import HeldSignals
from cardioflow.pipeline.checkpoint.journal import Journal
from cardioflow.pipeline.checkpoint.lock import FolderLock
from cardioflow.pipeline.checkpoint.values import compact, read_values, write_values
from cardioflow.pipeline.intervals import Interval

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.context import RunContext
    from cardioflow.pipeline.data.dataset import EcgDataset
    from cardioflow.pipeline.events import Events
    from cardioflow.pipeline.options import RunOptions
    from cardioflow.pipeline.runners import Runner

__all__ = ["Checkpoints", "NoCheckpoints", "Resuming", "RunParts"]

_log = logging.getLogger(__name__)

_PASS = 1 << 40
"""More batches than one loop over a run has."""


class RunParts(NamedTuple):
    """What a run has that changes from batch to batch."""

    context: RunContext
    runners: tuple[Runner, ...]
    events: Events


class Resuming(ABC):
    """What a run asks about checkpoints, whether it has some or not."""

    @abstractmethod
    def begin(self, parts: RunParts, n_passes: int) -> int | None:
        """Return the number of the batch to begin with in this loop over the run; ``None`` where it was done before."""

    @abstractmethod
    def begin_batch(self, number: int) -> None:
        """Note that batch ``number`` goes through the steps now."""

    @abstractmethod
    def after_batch(self, number: int, *, is_epoch_end: bool) -> None:
        """Save where that is due, after batch ``number``, which is not the last one of the run."""

    @abstractmethod
    def complete(self, number: int) -> None:
        """Save the run, which has ended with batch ``number``."""

    @abstractmethod
    def close(self) -> None:
        """Let other runs use the folder."""

    @contextmanager
    def held_signals(self) -> Iterator[None]:
        """Hold Ctrl-C back inside until the batch at hand is saved."""
        yield


@final
class NoCheckpoints(Resuming):
    """A run without ``checkpoint=`` begins at the beginning."""

    def begin(self, parts: RunParts, n_passes: int) -> int | None:  # noqa: ARG002 -- nothing is kept
        return 0

    def begin_batch(self, number: int) -> None:
        pass

    def after_batch(self, number: int, *, is_epoch_end: bool) -> None:
        pass

    def complete(self, number: int) -> None:
        pass

    def close(self) -> None:
        pass


@final
class Checkpoints(Resuming):
    """Writes checkpoints of one run to a folder.

    Args:
        options: Those of the run.
        dataset: Where the records of rows are looked up.
        identity: What the numbers of the run depend on.
        has_sinks: Whether a step writes records to files.
    """

    def __init__(
        self,
        options: RunOptions,
        dataset: EcgDataset,
        identity: Mapping[str, Any],
        *,
        has_sinks: bool,
    ) -> None:
        self._path = Path(os.fspath(options.checkpoint or ""))
        self._interval = Interval.of(options.every)
        self._dataset = dataset
        self._identity = identity
        self._has_sinks = has_sinks
        self._folder = CheckpointFolder(self._path, options.keep)
        self._journal = Journal(self._path)
        self._lock: FolderLock | None = None
        self._parts: RunParts | None = None
        self._n_passes = 0
        self._number = 0
        self._last: Path | None = None
        self._since = 0.0
        self._signals: HeldSignals | None = None

    def begin(self, parts: RunParts, n_passes: int) -> int | None:
        self._parts, self._n_passes, self._number = parts, n_passes, 0
        self._take_lock()
        parts.context.models.first_batches = parts.context.models.first_batches or {}
        self._last = self._folder.latest()
        saved = None if self._last is None else self._read(self._last)
        if saved is None or saved["n_passes"] < n_passes:
            # From now on, what sinks write is known to be of this run.
            self._save(0)
        else:
            self._restore(saved)
            if saved["n_passes"] > n_passes:
                return None
            if saved["is_complete"]:
                _log.warning("The run in %s is complete. Pass another folder to run again.", self._path)
                return None
            self._number = int(saved["next_number"])
            _log.info("The run goes on from %s, with batch %d.", self._last, self._number)
        parts.context.log.begin_writing = self._begin_writing
        self._since = time.monotonic()
        return self._number

    def begin_batch(self, number: int) -> None:
        self._number = number

    def after_batch(self, number: int, *, is_epoch_end: bool) -> None:
        stopped = self._signals is not None and self._signals.received is not None
        seconds = time.monotonic() - self._since
        if not stopped and not self._interval.is_due(number + 1, is_epoch_end=is_epoch_end, seconds=seconds):
            return
        self._save(number + 1)
        if self._signals is not None and self._signals.received is not None:
            total = self._run.context.n_batches
            self._signals.act(
                f"The run was stopped after batch {number + 1}{'' if total is None else f' of {total}'} and saved in "
                f"{str(self._path)!r}. Run the same call again to go on."
            )

    def complete(self, number: int) -> None:
        self._save(number, is_complete=True)

    def close(self) -> None:
        self._journal.close()
        if self._parts is not None:
            self._parts.context.log.begin_writing = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextmanager
    def held_signals(self) -> Iterator[None]:
        with HeldSignals() as signals:
            self._signals = signals
            try:
                yield
                if signals.received is not None:
                    # It came in the last batch or after it, where only the whole run is saved.
                    signals.act(
                        f"The run was stopped after its last batch. It is complete, and saved in {str(self._path)!r}."
                    )
            finally:
                self._signals = None

    # -- inside ------------------------------------------------------------------

    @property
    def _run(self) -> RunParts:
        if self._parts is None:
            raise CheckpointError("The run has not begun, so it has no state yet. Ask for its first batch first.")
        return self._parts

    def _take_lock(self) -> None:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            lock = FolderLock(self._path)
            lock.acquire()
        except OSError as error:
            raise WriteError(
                f"The checkpoint folder {str(self._path)!r} cannot be used: {error.strerror or error}. Pass the "
                "path of a folder that you may write to."
            ) from error
        self._lock = lock

    def _begin_writing(self, step: str, rows: list[str]) -> frozenset[str]:
        return self._journal.begin(self._n_passes * _PASS + self._number, step, rows)

    def _save(self, next_number: int, *, is_complete: bool = False) -> None:
        if self._has_sinks:
            # A checkpoint says that these files are there, and a power failure must not make that wrong.
            sync_all()
        state = {"n_passes": self._n_passes, "next_number": next_number, "is_complete": is_complete, **self._state()}
        try:
            self._last = self._folder.write(self._identity, lambda folder: self._fill(folder, state))
        except InputError as error:
            raise CheckpointError(
                f"The run cannot be saved: {error} Keep numbers, texts, arrays, batches and containers of these in "
                "variables and in callbacks' states, or leave checkpoint= out."
            ) from error
        self._journal.follow(number_of(self._last), self._n_passes * _PASS + next_number)
        self._journal.forget(self._folder.oldest())
        self._since = time.monotonic()

    def _state(self) -> dict[str, Any]:
        context, runners, events = self._run
        log = context.log
        return {
            "variables": {name: compact(value) for name, value in context.variables.state().items()},
            "epoch_starts": log.epoch_starts,
            "skipped": log.skipped,
            "n_empty": log.n_empty,
            "runners": [runner.state() for runner in runners],
            "events": events.state(),
            "kept": context.state,
            # What steps of the user's own draw from.
            "random": [random.getstate(), np.random.get_state()],  # noqa: NPY002 -- the global one
        }

    def _fill(self, folder: Path, state: Mapping[str, Any]) -> None:
        models = self._run.context.models
        built = models.save_state(folder)
        firsts = dict(models.first_batches or {})
        for i, batch in enumerate(firsts.values()):
            self._write_first(folder, f"first-{i}", batch)
        write_values({**state, "models": built, "firsts": list(firsts)}, folder, "state", self._dataset)

    def _write_first(self, folder: Path, stem: str, batch: EcgBatch) -> None:
        """Write the batch that a model was built from, which stays the same: a link to the existing file."""
        ends = (".json", ".safetensors")
        if self._last is None or not all((self._last / f"{stem}{end}").exists() for end in ends):
            write_values(batch, folder, stem, self._dataset)
            return
        for end in ends:
            try:
                (folder / f"{stem}{end}").hardlink_to(self._last / f"{stem}{end}")
            except OSError:
                shutil.copyfile(self._last / f"{stem}{end}", folder / f"{stem}{end}")

    def _read(self, checkpoint: Path) -> dict[str, Any]:
        check_same(run_of(checkpoint), self._identity, self._path)
        state: dict[str, Any] = read_values(checkpoint, "state", self._dataset)
        self._journal.restore(number_of(checkpoint))
        return state

    def _restore(self, state: Mapping[str, Any]) -> None:
        context, runners, events = self._run
        checkpoint = self._last
        if checkpoint is None:
            return
        try:
            context.variables.restore(state["variables"])
            log = context.log
            log.epoch_starts, log.n_empty = dict(state["epoch_starts"]), int(state["n_empty"])
            log.skipped[:] = state["skipped"]
            context.models.first_batches = {
                name: read_values(checkpoint, f"first-{i}", self._dataset) for i, name in enumerate(state["firsts"])
            }
            context.models.load_state(checkpoint, state["models"])
            for runner, saved in zip(runners, state["runners"], strict=True):
                runner.restore(saved)
            events.restore(state["events"], is_complete=bool(state["is_complete"]))
            context.state.update(state["kept"])
            python, numpy = state["random"]
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002 -- as above
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, CardioFlowError):
                raise
            raise CheckpointError(
                f"The checkpoint {str(checkpoint)!r} does not hold the state of this run: {error!r}. Remove it, to go "
                "on from the one before."
            ) from error
