"""Write losses, metrics and learning rates where TensorBoard shows them."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cardioflow.core.optional import needed
from cardioflow.errors import ConfigError, InputError
from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["TensorBoard"]


@final
class TensorBoard(Remembering):
    """Write the figures of every epoch to event files, which ``tensorboard --logdir folder`` shows.

    The figures are those of ``CsvLog``: every loss, metric and learning rate by
    variable; those of batches are their means over the epoch. A step is the
    number of batches drawn so far. TensorFlow is not needed. A run that goes on
    from a checkpoint tells TensorBoard to forget what was written after it.

    Args:
        folder: Where the event files are written; a new run needs a folder of its own, or its curves are mixed.
        batches: Whether the loss and metrics of every batch are written too, as ``"<variable>/batch"``.

    Raises:
        InputError: for a folder that is not one.
        ConfigError: for ``batches`` that is not a truth value.
        MissingDependencyError: when TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path, *, batches: bool = False) -> None:
        super().__init__()
        if not isinstance(folder, str | os.PathLike):
            raise InputError(
                f"TensorBoard(folder={folder!r}) is not a path. Pass the name of a folder, such as 'logs'."
            )
        if not isinstance(batches, bool):
            raise ConfigError(f"TensorBoard(batches={batches!r}): expected True or False.")
        self.folder = Path(folder)
        self.batches = batches
        self._writer: Any = None
        self._last: dict[str, int] = {}
        """The step at which each figure was written last."""

    def fresh(self) -> dict[str, Any]:
        return {"n_batches": 0}

    def run_start(self, context: RunContext) -> None:
        needed("tensorboard.summary.writer.event_file_writer", extra="tracking")
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        super().run_start(context)
        self._last = {}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._writer = EventFileWriter(str(self.folder))
        if self.memory["n_batches"]:
            start = SessionLog(status=SessionLog.SessionStatus.START)
            self._writer.add_event(Event(step=self.memory["n_batches"] + 1, session_log=start))

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        self.memory["n_batches"] += 1
        if self.batches:
            for measured in logs.measurements:
                values = {f"{measured.model}.{measured.stage}_{k}/batch": v for k, v in measured.values.items()}
                self._write(values)

    def epoch_end(self, context: RunContext, epoch: int) -> None:
        self._write_figures(context)
        self._writer.flush()

    def run_end(self, context: RunContext) -> None:
        # With an epoch that was stopped, and with what models report at the end of the run.
        self._write_figures(context)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_figures(self, context: RunContext) -> None:
        step = self.memory["n_batches"]
        new = {name: value for name, value in context.figures().items() if self._last.get(name) != step}
        self._last |= dict.fromkeys(new, step)
        self._write(new)

    def _write(self, values: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        if scalars:
            now = time.time()
            self._writer.add_event(Event(wall_time=now, step=self.memory["n_batches"], summary=Summary(value=scalars)))
