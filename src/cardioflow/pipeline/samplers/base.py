"""What draws the records of an epoch by their weights."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import generator, record_keys
from cardioflow.errors import ConfigError, InputError
from cardioflow.pipeline.data.record_set import RecordSet
from cardioflow.pipeline.labels.join import shape_of_known
from cardioflow.pipeline.labels.table import LabelTable
from cardioflow.pipeline.record_ids import record_id

__all__ = ["Draws", "Sampler", "labels_by"]


@final
@dataclass(frozen=True, eq=False)
class Draws:
    """The rows that each epoch draws, from the seed and the epoch's number alone.

    Systematic sampling (Madow, Ann Math Stat 20 (1949) 333): every record is
    drawn as often as its weight says, rounded up or down, and so is every stratum.
    Independent draws would scatter by their square root.
    """

    weights: NDArray[np.float64]
    """Of the records; they need not add up to 1."""
    strata: Sequence[Hashable]
    """A value per record; records of one are drawn in turn."""
    n_records: int
    """How many are drawn in an epoch."""

    def order(self, seed: int, epoch: int) -> NDArray[np.intp]:
        """Return the rows of an epoch, in the order in which they are drawn."""
        random = generator(record_keys([f"sampler/{seed}/{epoch}"])[0])
        shuffled = random.permutation(len(self.weights))
        rank = {stratum: i for i, stratum in enumerate(sorted(set(self.strata), key=str))}
        own = np.array([rank[stratum] for stratum in self.strata])[shuffled]
        rows = shuffled[np.argsort(own, kind="stable")]
        ends = np.cumsum(self.weights[rows])
        # Each record holds a stretch of a line as long as its weight, which points at equal distances fall into.
        points = (np.arange(self.n_records) + random.random()) / self.n_records * ends[-1]
        drawn = rows[np.minimum(np.searchsorted(ends, points, side="right"), len(rows) - 1)]
        return random.permutation(drawn)


@dataclass(frozen=True)
class Sampler(ABC):
    """Draws records by weights, for ``run(sampler=…)``.

    An epoch draws ``n_records`` times, by default as often as there are records. A
    record that is drawn twice in an epoch gets other random numbers each time.
    The draw depends on ``seed`` and epoch alone, so that it is the same on every
    engine, and in a run that was stopped and goes on.
    """

    _: KW_ONLY
    n_records: int | None = None

    def __post_init__(self) -> None:
        if self.n_records is not None:
            try:
                number = operator.index(self.n_records)
            except TypeError:
                number = 0
            if number < 1 or isinstance(self.n_records, bool):
                raise ConfigError(
                    f"{type(self).__name__}(n_records={self.n_records!r}): expected a whole number of at least 1."
                )

    @abstractmethod
    def bound(self, dataset: RecordSet) -> Draws:
        """Return the draws from ``dataset``.

        Raises:
            LabelError: when a record has no label.
        """

    def _draws(self, weights: Sequence[float], strata: Sequence[Hashable]) -> Draws:
        n = len(weights) if self.n_records is None else self.n_records
        return Draws(np.asarray(weights, np.float64), tuple(strata), n)


def labels_by(by: Any, dataset: RecordSet, name: str) -> list[tuple[str, ...]]:
    """Return the labels of each record of ``dataset``; none or several where a record may have any number.

    Args:
        by: ``"target"`` for the labels that the data set knows, a column of its table, or labels by record id.
        dataset: The records.
        name: Of the sampler, for messages.

    Raises:
        InputError: when the data set knows no labels.
        LabelError: when a record has none.
    """
    if isinstance(by, str) and by in dataset.table:
        by = dict(zip(dataset.ids, dataset.table.column(by, dataset.ids), strict=True))
    elif isinstance(by, str) and by in ("target", "label"):
        if dataset.labels is None:
            raise InputError(
                f"{name}({by!r}): the data set knows no labels. Pass labels by record id, as in "
                f"{name}({{'A00001': 'N', …}}), or EcgDataset(labels=…)."
            )
        by = dataset.labels
    elif isinstance(by, str):
        # Raises, with the nearest names.
        dataset.table.column(by, dataset.ids)
    elif isinstance(by, Mapping) or hasattr(by, "to_frame"):
        by = {record_id(key): value for key, value in by.items()}
    else:
        raise InputError(
            f"{name}() got a {type(by).__name__}, which does not say which record each label belongs to. Pass the name "
            "of a column, a mapping of ids, or a pandas Series with the ids as index."
        )
    known = {own: by[own] for own in dataset.ids if own in by}
    table = LabelTable.read(known or dict(by), shape_of_known(by, {"numeric": False}), dataset.all_ids, dataset.ids)
    _, missing = table.targets(dataset.ids)
    if missing:
        raise next(iter(missing.values()))
    found = [table.labels[own] for own in dataset.ids]
    return [tuple(map(str, label)) if isinstance(label, tuple) else (str(label),) for label in found]
