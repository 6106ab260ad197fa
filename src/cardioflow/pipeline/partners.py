"""Partners from the whole data set, for the steps that set other records beside each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.action import Action
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.partners import Labels, LabelsOf, Partners, Ring
from cardioflow.pipeline.steps.load import Load
from cardioflow.transforms.apply_to_each_channel import ApplyToEachChannel
from cardioflow.transforms.apply_transform import ApplyTransform
from cardioflow.transforms.base import PartnerTransform

if TYPE_CHECKING:
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["PartnerStep", "changes_labels_only", "leaves_labels"]

_MAX_DRAWS = 8
"""Records that are read for one row before it goes without a partner; each costs a reading."""

_LABELS = "cardioflow.transforms.labels."
_LEAVE_LABELS = tuple(
    f"cardioflow.transforms.{folder}." for folder in ("augment", "channels", "quality", "signals", "spectra")
)

Steps = Callable[[EcgBatch], EcgBatch]


@final
class PartnerStep(Action):
    """A transform with partners at its place in a pipeline, on one data set.

    Partners come from the records of the data set that the pipeline runs on,
    and never from those that a split or a subset left out: a training part
    would otherwise learn from the test part.
    """

    def __init__(
        self, transform: PartnerTransform, dataset: EcgDataset, before: Steps, labelling: Steps | None
    ) -> None:
        self._transform = transform
        self._dataset = dataset
        self._before = before
        self._labelling = labelling
        self._rings: dict[tuple[int, int, int], Ring] = {}
        self._labels: Labels | None = None

    @property
    def action_name(self) -> str:
        """The name of the transform."""
        return self._transform.action_name

    def __call__(self, batch: EcgBatch) -> EcgBatch:
        return self._transform.beside(batch, _DatasetPartners(self, batch))

    def __str__(self) -> str:
        return str(self._transform)

    @cached_property
    def pool(self) -> EcgBatch:
        """All records, with nothing but their labels, as the step would find them; without those that are left out."""
        every = self._dataset.batch(np.arange(len(self._dataset)))
        return every if self._labelling is None else self._labelling(every)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Where each record of the pool is in the data set."""
        place = {name: i for i, name in enumerate(self._dataset.ids)}
        return np.array([place[name] for name in self.pool.ids], np.intp)

    def labels(self, labels_of: LabelsOf) -> Labels | None:
        """Return the labels of the pool, or ``None`` where they are known only after other steps."""
        if self._labels is None and self.pool.target is not None:
            self._labels = labels_of(self.pool)
        return self._labels

    def read(self, candidates: NDArray[np.intp], like: EcgBatch) -> EcgBatch:
        """Return records of the pool as the earlier steps leave them, drawing as in the run of ``like``."""
        drawn = self._dataset.batch(self.rows[candidates], seed=like.seed, epoch=like.epoch)
        # A record that cannot be read is listed when its own turn comes.
        return self._before(drawn).replace(skipped=())

    def ring(self, like: EcgBatch) -> Ring:
        """Return the ring of this step in the epoch of ``like``; those of two epochs are kept."""
        occurrence = like.history.count(self.action_name)
        key = like.seed, like.epoch, occurrence
        ring = self._rings.get(key)
        if ring is None:
            pool = self.pool.replace(seed=like.seed, epoch=like.epoch, history=(self.action_name,) * occurrence)
            ring = Ring(pool.keys(self.action_name))
            self._rings = {**dict(list(self._rings.items())[-1:]), key: ring}
        return ring


@final
class _DatasetPartners(Partners):
    max_draws = _MAX_DRAWS

    def __init__(self, step: PartnerStep, batch: EcgBatch) -> None:
        self._step = step
        self._batch = batch

    @property
    def record_ids(self) -> Sequence[str]:
        return self._step.pool.ids

    def ring(self) -> Ring:
        return self._step.ring(self._batch)

    def labels(self, labels_of: LabelsOf) -> Labels | None:
        return self._step.labels(labels_of)

    def read(self, candidates: NDArray[np.intp]) -> tuple[EcgBatch, NDArray[np.intp]]:
        mates = self._step.read(candidates, self._batch)
        by_id = {self._step.pool.ids[c]: c for c in candidates}
        return mates, np.array([by_id[name] for name in mates.provenance.record_id], np.intp)


def changes_labels_only(action: Action) -> bool:
    """Return whether a step reads or changes labels and nothing else, so that it can run on labels alone."""
    return type(action).__module__.startswith(_LABELS) or (isinstance(action, Load) and "target" in action.components)


def leaves_labels(action: Action) -> bool:
    """Return whether a step is known to leave labels as they are."""
    if isinstance(action, Load):
        return "target" not in action.components
    if isinstance(action, ApplyTransform | ApplyToEachChannel):
        return action.dst != "target"
    return type(action).__module__.startswith(_LEAVE_LABELS) and not isinstance(action, PartnerTransform)
