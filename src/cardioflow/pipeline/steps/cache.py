"""Keep what the steps before it make of each record."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

from cardioflow.batch.action import Action
from cardioflow.errors import InputError

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch

__all__ = ["Cache"]


@final
@dataclass(frozen=True)
class Cache(Action):
    """Keep what the steps before this one make of each record, and do them once for each record instead of every epoch.

    In memory, or in ``folder``, which several pipelines, processes and runs may
    use at the same time. A record is kept as it was made: its key is the text
    of the steps and their settings, this version of CardioFlow, and the sizes
    and times of the record's files; where one of them changes, the record is
    made anew. The steps before must be pure and draw no random numbers. A
    record that cannot be read, or is skipped, is tried again each time, and a
    batch in which a sampler drew a record again is made anew, because random
    steps draw other numbers for the second draw: a cache saves little beside
    ``run(sampler=Balanced(…))``. Pack what the steps make into a store instead.

    Functions of your own are part of the key by their code, but what they call
    or read elsewhere is not. In a folder, which outlives the program, ``version``
    is required where there are such functions: change it when they change.

    Args:
        folder: Where records are kept; ``None`` keeps them in memory, until the pipeline is gone.
        max_mb: How many MiB are kept in memory, or in the folder by these steps; further records are made anew each
            time, with a warning.
        version: Of your own functions among the steps before.

    Raises:
        ConfigError: naming a step before it that is random or depends on the run; in a run.
        WriteError: when the folder cannot be written.
    """

    folder: str | Path | None = None
    max_mb: float = field(default=4096.0, kw_only=True)
    version: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.folder is not None and not isinstance(self.folder, str | Path):
            raise InputError(
                f"cache({self.folder!r}) is not a folder. Pass its path, or nothing for a cache in memory."
            )
        if isinstance(self.max_mb, bool) or not isinstance(self.max_mb, (int, float)) or not self.max_mb > 0:
            raise InputError(f"cache(max_mb={self.max_mb!r}) is not above 0.")

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        """Return the batch as it is: outside a pipeline there are no steps before it to spare."""
        return batch
