"""One model that is asked about several views of each record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import ModelError
from cardioflow.models._combined import CombinedModel, combined_predictions
from cardioflow.models.persistence import PersistentModel

__all__ = ["TestTimeAugmentation"]

Array = NDArray[Any]
Action = tuple[str, Mapping[str, Any]]

_MOST_VIEWS = 1000


@final
class TestTimeAugmentation(CombinedModel):
    """The mean of a model's predictions of each record as it is and after random actions.

    The draws depend on the seed, the number of the view and the record alone, so
    that a record has the same prediction in any batch. It is not trained itself.

    Args:
        model: A trained model, or none before ``load``.
        actions: Names of actions with their arguments, applied in order to each view. They keep the number of rows.
        n_views: How many views there are besides the record as it is.
        seed: The seed of the draws.

    Raises:
        ModelError: for an unknown action, or a number of views below 1.

    >>> steady = TestTimeAugmentation(model, [("random_amplitude_scale", {"low": 0.8, "high": 1.25})], n_views=8)
    """

    __test__ = False  # pytest collects classes whose names start like this one

    adapter = "test_time_augmentation"
    refuses: ClassVar[frozenset[str]] = frozenset({"test_time_augmentation"})

    def __init__(
        self,
        model: PersistentModel | None = None,
        actions: Sequence[Action] = (),
        n_views: int = 4,
        seed: int = 0,
    ) -> None:
        self.actions: tuple[Action, ...] = ()
        self.n_views = n_views
        super().__init__(() if model is None else (model,))
        if model is not None:
            self._take_actions(actions, n_views)
            self.seed = seed

    def predict_on_batch(self, batch: EcgBatch) -> Array:
        each = self._each(batch)
        return combined_predictions(each, np.ones(len(each)))

    def predict_of_each(self, batch: EcgBatch) -> Array:
        """Return the predictions of every view, (view, row, …); view 0 is the record as it is."""
        return np.stack(self._each(batch))

    def _each(self, batch: EcgBatch) -> list[Array]:
        rows = unstack(batch)
        (model,) = self.members
        return [
            model.predict_on_batch(rows),
            *(model.predict_on_batch(self._view(rows, k)) for k in range(self.n_views)),
        ]

    def _view(self, rows: EcgBatch, k: int) -> EcgBatch:
        view = rows.replace(seed=self.seed, epoch=k, history=())
        for name, arguments in self.actions:
            view = getattr(view, name)(**arguments)
            if view.ids != rows.ids or (view.signal is not None and view.signal.ndim != 2):
                raise ModelError(
                    f"TestTimeAugmentation: {name} changes the rows of the batch, so that predictions of views cannot "
                    "be averaged. Use actions that keep each record."
                )
        return view

    def _about(self) -> dict[str, Any]:
        return {"actions": [[name, dict(arguments)] for name, arguments in self.actions], "n_views": self.n_views}

    def _take_about(self, about: Mapping[str, Any]) -> None:
        self._take_actions([(name, arguments) for name, arguments in about["actions"]], about["n_views"])

    def _take_actions(self, actions: Sequence[Action], n_views: Any) -> None:
        if isinstance(n_views, bool) or not isinstance(n_views, int) or not 1 <= n_views <= _MOST_VIEWS:
            raise ModelError(
                f"TestTimeAugmentation(n_views={n_views!r}) is not a whole number from 1 to {_MOST_VIEWS}."
            )
        if not actions:
            raise ModelError("TestTimeAugmentation(actions=()): pass at least one, or use the model as it is.")
        for name, _ in actions:
            # Only what prepares records: a file of a model must not read or write others.
            if name not in registry.transforms:
                raise ModelError(f"TestTimeAugmentation: {name!r} is not an action that transforms records.")
        for name, arguments in actions:
            # So that arguments are checked now, and not with the first prediction.
            registry.transforms.get(name)(**arguments)
        self.actions = tuple((name, dict(arguments)) for name, arguments in actions)
        self.n_views = n_views
