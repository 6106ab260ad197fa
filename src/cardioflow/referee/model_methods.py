"""Models under test: bundles, and functions of the user."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from cardioflow.bundle import Bundle, RecordPrediction, load
from cardioflow.errors import FormatError, InputError
from cardioflow.io.reading import read_each, request_for
from cardioflow.referee.methods.base import Method, UserFunction, imported

__all__ = ["ModelAnswer", "ModelMethod", "model_method"]


@final
@dataclass(frozen=True)
class ModelAnswer:
    """What a model says of a record."""

    labels: tuple[str, ...] = ()
    probabilities: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    """Why it says nothing."""


class ModelMethod(Method):
    """A model that gives labels to records."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...] | None:
        """The labels that it knows; ``None`` for those of the table."""

    @property
    def stated_training(self) -> tuple[str, ...]:
        """The records that it says it was made from, as texts."""
        return self.training_data

    @abstractmethod
    def answers(self, paths: Sequence[Path], classes: Sequence[str], *, exclusive: bool) -> Iterator[ModelAnswer]:
        """Yield the answer for each file, in order."""


@final
@dataclass(frozen=True)
class _OfBundle(ModelMethod):
    bundle: Bundle
    called: str

    @property
    def name(self) -> str:
        return self.called

    @property
    def classes(self) -> tuple[str, ...] | None:
        return self.bundle.classes

    @property
    def stated_training(self) -> tuple[str, ...]:
        data = self.bundle.description.card.data
        return tuple(", ".join(filter(None, (f"{d.name} {d.version}".strip(), d.part, d.used_for))) for d in data)

    def answers(
        self,
        paths: Sequence[Path],
        classes: Sequence[str],  # noqa: ARG002 -- a bundle has its own
        *,
        exclusive: bool,  # noqa: ARG002 -- a bundle says it itself
    ) -> Iterator[ModelAnswer]:
        with warnings.catch_warnings():
            # Notes on leads by name, one for each batch; what matters is in the answer.
            warnings.simplefilter("ignore", UserWarning)
            for one in self.bundle.stream(list(paths)):
                if not isinstance(one, RecordPrediction):
                    yield ModelAnswer(reason=one.reason)
                elif not one.judged:
                    yield ModelAnswer(reason="; ".join(reason.text for reason in one.reasons))
                else:
                    yield ModelAnswer(one.labels, one.probabilities)


@final
@dataclass(frozen=True)
class _Function(UserFunction, ModelMethod):
    """A function of the user: it takes (lead, time) in mV and the rate, and returns a probability for each label."""

    @property
    def classes(self) -> tuple[str, ...] | None:
        return None

    def answers(self, paths: Sequence[Path], classes: Sequence[str], *, exclusive: bool) -> Iterator[ModelAnswer]:
        request = request_for(["signal", "meta"], {"derive": "never"})
        for path in paths:
            (record,) = read_each([path], None, request, {})
            if isinstance(record, FormatError):
                yield ModelAnswer(reason=str(record))
            elif record.signal is None:
                yield ModelAnswer(reason="The file has no signal.")
            else:
                yield self._answer(self.function(np.asarray(record.signal), record.fs), classes, exclusive=exclusive)

    def _answer(self, found: Any, classes: Sequence[str], *, exclusive: bool) -> ModelAnswer:
        if found is None:
            return ModelAnswer(reason="The function returned None.")
        if isinstance(found, str):
            found, given = (found,), {}
        elif isinstance(found, Mapping):
            given = {str(label): float(p) for label, p in found.items()}
            if not all(0 <= p <= 1 for p in given.values()) or not given:
                raise InputError(f"{self.called} returned {found!r}. Return a probability from 0 to 1 for each label.")
            found = (
                (max(given, key=given.__getitem__),) if exclusive else tuple(k for k, p in given.items() if p >= 0.5)
            )
        else:
            raise InputError(
                f"{self.called} returned a {type(found).__name__}. Return a label, or a dict of a probability for each "
                "label, or None where the record cannot be judged."
            )
        unknown = sorted({*found, *given} - set(classes))
        if unknown:
            raise InputError(
                f"{self.called} returned the label {unknown[0]!r}, and the table has {', '.join(classes)}."
            )
        return ModelAnswer(tuple(found), given)


def model_method(name: str) -> ModelMethod:
    """Return the model ``name``: a bundle of the package, the path of one, or ``"module:function"``.

    Raises:
        DumpError: when there is no such bundle.
        InputError: when the function is not there, or a bundle does not give labels.
    """
    if ":" in name and not Path(name).exists():
        return _Function(imported(name), name)
    bundle = load(name)
    output = bundle.description.output
    if output not in ("exclusive", "independent") or not bundle.classes:
        raise InputError(f"The bundle {name!r} gives {output}, and not labels. Pass one whose output is labels.")
    return _OfBundle(bundle, name if not Path(name).exists() else Path(name).name)
