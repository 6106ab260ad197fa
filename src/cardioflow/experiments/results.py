"""The finished runs of an experiment: a file each, and all of them as one table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from cardioflow.core.atomic import whole_file
from cardioflow.core.json_values import JsonCodec
from cardioflow.errors import CheckpointError, FormatError, InputError

__all__ = ["Outcome", "Results"]

_FIELDS: Final = ("trial", "repetition", "seed")
_FACTS: Final = ("status", "error", "started", "seconds", "commit", "data")


@final
@dataclass(frozen=True)
class Outcome:
    """One run of the function."""

    trial: int
    """The number of the configuration."""
    repetition: int
    seed: int
    config: Mapping[str, Any]
    scores: Mapping[str, float]
    """Empty where the function failed."""
    status: str
    """``"done"`` or ``"failed"``."""
    error: str
    started: str
    """Date and time, with the time zone."""
    seconds: float
    commit: str
    """The commit of the repository that the function is in, with ``+`` where files differ from it."""
    data: str
    """The data set's fingerprint."""


@final
class Results:
    """The outcomes in a folder, each in a file that is written at once, and a table of all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._codec = JsonCodec()
        self.outcomes: dict[tuple[int, int], Outcome] = {}
        for path in sorted((folder / "runs").glob("*.json")):
            own = self._read(path)
            self.outcomes[own.trial, own.repetition] = own

    def add(self, outcome: Outcome) -> None:
        """Write an outcome, and the tables anew."""
        row = {**asdict(outcome), "config": self._codec.encode(dict(outcome.config), "config")}
        with whole_file(self._folder / "runs" / f"{outcome.trial:05d}-{outcome.repetition:03d}.json") as path:
            path.write_text(json.dumps(row, indent=1), encoding="utf-8")
        self.outcomes[outcome.trial, outcome.repetition] = outcome
        self.write()

    def write(self) -> None:
        """Write ``results.csv`` and ``results.parquet``."""
        columns = self.table()
        with whole_file(self._folder / "results.csv") as path, path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            rows.writerows(zip(*columns.values(), strict=True))
        import pyarrow as pa
        import pyarrow.parquet as pq

        with whole_file(self._folder / "results.parquet") as path:
            pq.write_table(pa.table({name: _of_one_type(values) for name, values in columns.items()}), path)

    def table(self) -> dict[str, list[Any]]:
        """Return the outcomes as columns: settings as ``config.lr``, scores as ``score.auc``."""
        every = [self.outcomes[key] for key in sorted(self.outcomes)]
        settings = dict.fromkeys(name for own in every for name in own.config)
        scores = dict.fromkeys(name for own in every for name in own.scores)
        columns: dict[str, list[Any]] = {name: [getattr(own, name) for own in every] for name in _FIELDS}
        columns |= {f"config.{name}": [_cell(own.config.get(name)) for own in every] for name in settings}
        columns |= {f"score.{name}": [own.scores.get(name) for own in every] for name in scores}
        return columns | {name: [getattr(own, name) for own in every] for name in _FACTS}

    def of_trial(self, number: int) -> Iterator[Outcome]:
        """Yield the outcomes of one configuration."""
        return (own for (trial, _), own in sorted(self.outcomes.items()) if trial == number)

    def _read(self, path: Path) -> Outcome:
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
            return Outcome(**{**row, "config": self._codec.decode(row["config"], "config")})
        except (OSError, ValueError, TypeError, KeyError, FormatError, InputError) as error:
            raise CheckpointError(f"{path} is damaged: {error}. Delete it to repeat that run.") from error


def _cell(value: Any) -> Any:
    # A setting of np.arange(3) is a number, too.
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return repr(value)


def _of_one_type(values: Sequence[Any]) -> list[Any]:
    """Return the values, as text where a column of Parquet would not hold them."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds == {int, float}:
        return [float(value) if kinds == {int, float} and value is not None else value for value in values]
    return [None if value is None else str(value) for value in values]
