"""What a worker process and its parent tell each other; every message is small, and none is waited for to be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.pipeline.data.locations import FileLocation, StoredRows, of_one_store
from cardioflow.pipeline.step_times import TimedBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardioflow.batch.location import Location
    from cardioflow.pipeline.step_times import StepTime
    from cardioflow.pipeline.workers.parcels import Parcel

__all__ = ["READY", "Asked", "Contents", "Reply", "Task", "asked", "contents_of", "made_of", "task_of"]

READY = -1
"""The number of the reply that says that a worker has loaded the steps."""


class Task(NamedTuple):
    """A batch to make."""

    number: int
    batch: Parcel
    freed: tuple[int, ...]
    """Blocks of the worker that the parent no longer uses."""
    dropped: tuple[int, ...]
    """Blocks of the parent that are closed."""
    returned: tuple[int, ...] = ()
    """What the parent no longer uses of the worker's own arrays."""


class Reply(NamedTuple):
    """A batch that was made, or the error."""

    number: int
    made: Parcel
    is_error: bool
    freed: tuple[int, ...] = ()
    """Blocks of the parent that the worker no longer uses."""
    dropped: tuple[int, ...] = ()
    """Blocks of the worker that are closed."""
    closed: tuple[int, ...] = ()
    """Blocks of its own arrays that are closed."""


class Asked(NamedTuple):
    """The batch of a task as it is sent: the places of its records as text, or as numbers in one store."""

    batch: EcgBatch
    paths: tuple[str, ...] | None = None
    store: tuple[str, tuple[int, ...], str] | None = None
    """Its path, the numbers there, and its checksum."""


class Contents(NamedTuple):
    """A batch that was made, as it is sent: the parent knows the places of its records already."""

    batch: EcgBatch
    places: tuple[int, ...] | None
    """The row of the task's batch whose location each row has; ``None`` where the batch holds its own."""
    times: tuple[StepTime, ...] | None


def asked(batch: EcgBatch) -> Asked:
    """Return what is sent of ``batch``; a path takes ten times as long to pickle as its text."""
    locations = batch.locations or ()
    if locations and all(type(location) is FileLocation for location in locations):
        return Asked(batch.replace(locations=None), paths=tuple(map(str, locations)))
    stored = of_one_store(locations)
    if stored is not None:
        return Asked(batch.replace(locations=None), store=(str(stored.store), stored.rows, stored.checksum))
    return Asked(batch)


def task_of(given: Asked) -> EcgBatch:
    """Return the batch of a task as the parent had it."""
    if given.paths is not None:
        return given.batch.replace(locations=tuple([FileLocation(text) for text in given.paths]))
    if given.store is not None:
        path, rows, checksum = given.store
        return given.batch.replace(locations=StoredRows(Path(path), rows, checksum).locations())
    return given.batch


def contents_of(made: EcgBatch | TimedBatch, task: EcgBatch) -> Contents:
    """Return what is sent of ``made``, which the pure steps made of ``task``."""
    batch, times = (made.batch, made.times) if isinstance(made, TimedBatch) else (made, None)
    places = _places(batch.locations, task.locations)
    return Contents(batch if places is None else batch.replace(locations=None), places, times)


def made_of(contents: Contents, locations: Sequence[Location] | None) -> EcgBatch | TimedBatch:
    """Return the batch as the worker had it; ``locations`` are those of the task."""
    batch = contents.batch
    if contents.places is not None and locations is not None:
        batch = batch.replace(locations=tuple([locations[i] for i in contents.places]))
    return batch if contents.times is None else TimedBatch(batch, contents.times)


def _places(made: Any, given: Any) -> tuple[int, ...] | None:
    if made is None or given is None:
        return None
    row_of = {id(location): i for i, location in enumerate(given)}
    found = tuple([row_of.get(id(location), -1) for location in made])
    return None if -1 in found else found
