"""Write what models said of the records to Parquet files."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from cardioflow.errors import InputError, WriteError
from cardioflow.pipeline.steps.base import StatefulStep

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.pipeline.context import RunContext

__all__ = ["PredictionFolder", "WritePredictions"]

_OWN = ("id", "record", "epoch")
"""Columns that every file has."""


@final
@dataclass(frozen=True)
class PredictionFolder:
    """A folder of Parquet files that appears under its name when all of them are there."""

    path: Path
    temporary: Path

    @classmethod
    def at(cls, path: str | Path) -> PredictionFolder:
        """Return the folder ``path``, which must not be there yet.

        Raises:
            WriteError: when it is, or cannot be made.
        """
        path = Path(path).absolute()
        if path.exists():
            raise WriteError(
                f"write_predictions(): {str(path)!r} exists already, and rows added to it would be there twice. "
                "Remove it, or pass another path."
            )
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
        try:
            temporary.mkdir(parents=True)
        except OSError as error:
            raise WriteError(f"write_predictions(): {str(path)!r} cannot be made: {error.strerror}.") from error
        return cls(path, temporary)

    def write(self, batch: EcgBatch, components: Sequence[str], number: int) -> None:
        """Write the rows of batch ``number``; written once more, they replace themselves.

        Raises:
            InputError: for a component that has no form as a column.
            WriteError: when the file cannot be written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns: dict[str, Any] = {
            "id": pa.array(batch.ids, pa.string()),
            "record": pa.array(batch.provenance.record_id, pa.string()),
            "epoch": pa.array([batch.epoch] * len(batch), pa.int32()),
        }
        columns |= {name: _column(name, batch.component(name)) for name in components}
        final = self.temporary / f"part-{number:09d}.parquet"
        whole = self.temporary / f"{final.name}.{uuid.uuid4().hex}"
        try:
            pq.write_table(pa.table(columns), whole)
            os.replace(whole, final)  # noqa: PTH105 -- over a file of an earlier try
        except OSError as error:
            raise WriteError(
                f"write_predictions(): {str(self.path)!r} cannot be written: {error.strerror or error}. Check the "
                "disk; on a cluster, the path must be of a file system that all nodes share."
            ) from error

    def complete(self) -> None:
        """Give the folder its name."""
        for left in self.temporary.glob("*.parquet.*"):
            # Of a worker that was killed while it wrote.
            left.unlink(missing_ok=True)
        self.temporary.replace(self.path)

    def abandon(self) -> None:
        """Remove all that was written."""
        shutil.rmtree(self.temporary, ignore_errors=True)


@final
@dataclass(frozen=True)
class WritePredictions(StatefulStep):
    """Write components of each row, such as predictions, to Parquet files in the new folder ``path``.

    A file holds the rows of one batch: ``id``, ``record`` (whose segment the row
    may be), ``epoch`` and the ``components``; what has several values per row is
    a list. Read them all with ``pyarrow.parquet.read_table(path)``. The folder
    appears when the run has come to its end, and no record is in it twice. A run
    that ends early leaves nothing; with ``checkpoint=``, what it has written stays in
    a hidden folder beside it, for the run that goes on.

    >>> from cardioflow import B, Pipeline
    >>> asked = Pipeline().load().predict_on_batch("m", save_to=B("prediction")).write_predictions("predictions")

    Raises:
        WriteError: when the folder already exists or cannot be written.
    """

    path: str | Path
    components: str | Sequence[str] = "prediction"

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | Path):
            raise InputError(f"write_predictions({self.path!r}) is not a path. Pass the name of a new folder.")
        for name in self.names:
            if name in _OWN:
                raise InputError(
                    f"write_predictions(components={name!r}): the files have a column of this name already. Save the "
                    "component under another one."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The components."""
        return (self.components,) if isinstance(self.components, str) else tuple(self.components)

    def run(self, batch: EcgBatch, context: RunContext) -> EcgBatch:
        # Plain values, so that a run that goes on from a checkpoint goes on with the same files.
        state = context.state
        if "temporary" not in state:
            state.update(temporary=str(PredictionFolder.at(self.path).temporary), number=0)
        self._folder(state["temporary"]).write(batch, self.names, state["number"])
        state["number"] += 1
        return batch

    def end(self, context: RunContext) -> None:
        if "temporary" in context.state:
            self._folder(context.state.pop("temporary")).complete()

    def abandon(self, context: RunContext) -> None:
        if "temporary" in context.state:
            PredictionFolder(Path(self.path).absolute(), Path(context.state.pop("temporary"))).abandon()

    def _folder(self, temporary: str) -> PredictionFolder:
        folder = PredictionFolder(Path(self.path).absolute(), Path(temporary))
        if not folder.temporary.is_dir():
            raise WriteError(
                f"write_predictions(): {temporary!r}, with the first files, is gone. Remove the checkpoint, and run "
                "again."
            )
        return folder


def _column(name: str, values: Any) -> Any:
    import pyarrow as pa

    try:
        if isinstance(values, np.ndarray) and values.dtype != object:
            # Arrow takes numbers in this machine's byte order only.
            values = values.astype(values.dtype.newbyteorder("="), copy=False)
            if values.ndim == 1:
                return pa.array(values)
            flat = values.reshape(len(values), -1)
            return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), flat.shape[1])
        return pa.array(list(values))
    except (pa.ArrowException, TypeError) as error:
        raise InputError(
            f"write_predictions(): the component {name!r} has no form as a column: {error}. Write one of numbers or "
            "texts."
        ) from error
