"""The loss and the metrics of every batch that a model was trained or tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

__all__ = ["History", "Stage"]

Stage = Literal["train", "val"]


class History(dict[str, list[float]]):
    """Lists of figures by name, in order: ``"train_loss"``, ``"train_metric"``, ``"val_loss"``, ``"val_metric"``.

    Of several metrics each has its own list, such as ``"train_f1_score"``.
    """

    def __init__(self, saved: Mapping[str, Sequence[float]] | None = None) -> None:
        super().__init__((name, []) for name in ("train_loss", "train_metric", "val_loss", "val_metric"))
        self.update({name: list(values) for name, values in (saved or {}).items()})

    def add(self, stage: Stage, figures: Mapping[str, float]) -> None:
        """Append each of ``figures`` to its list of ``stage``."""
        for name, value in figures.items():
            self.setdefault(f"{stage}_{name}", []).append(value)
