"""What a model keeps beside its weights, and how both are saved and loaded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from cardioflow.errors import DumpError, ModelError
from cardioflow.models import dump
from cardioflow.models._infer_targets import encoding_of
from cardioflow.models._signature import InputSignature
from cardioflow.models._training_state import read_training, write_training
from cardioflow.models.base import BaseModel
from cardioflow.models.dump_header import DumpHeader, Output
from cardioflow.models.history import History
from cardioflow.models.targets import TargetEncoding

__all__ = ["PersistentModel"]

_NO_WEIGHTS: Final = "weights.none"


class PersistentModel(BaseModel):
    """A model that is saved as one file: its weights, which a subclass writes and reads, and what stands here."""

    adapter: ClassVar[str]
    """The backend's name in a dump."""

    def __init__(self) -> None:
        self.model: Any = None
        """The backend's own model; ``build`` sets it."""
        self.targets: TargetEncoding | None = None
        """What the model learns; ``None``: one label, several labels, or numbers, as the batches show."""
        self.hist = History()
        """Loss and metric of every batch that the model was trained or tested on, in order."""
        self.classes: tuple[str, ...] | None = None
        """The labels that the model knows, in the order of its outputs; from the first batch it was trained on."""
        self.leads: tuple[str, ...] | Literal["any"] | None = None
        """The leads that the model takes, in its order; from the first batch it was trained on if they are not set.

        Records are given to it in that order by name. ``"any"``: all leads are as good, and are not compared.
        """
        self.units: tuple[str, ...] | Literal["any"] | None = None
        """The unit of each lead; from the first batch it was trained on if not set. ``"any"``: not compared."""
        self.thresholds: Mapping[str, float] = {}
        """The probability from which a label is given, where it is not the default; saved with the model."""
        self.preprocessing: str | None = None
        """How a file becomes what the model takes, as the text of ``Pipeline.to_json()``; saved with the model."""
        self.notes: str = ""
        """Free text, saved with the model."""
        self.seed = 0
        """The seed of random numbers in training, such as those of dropout; each step has its own."""
        self._signature = InputSignature()
        self._seen: TargetEncoding | None = None
        """The kind of targets that the batches have shown, where ``targets`` declares none."""

    @property
    def output(self) -> Output:
        """What the output means; ``"exclusive"`` as long as neither the model nor a batch has shown it."""
        encoding = self.targets or self._seen
        return "exclusive" if encoding is None else encoding.output

    @abstractmethod
    def _write(self, folder: Path) -> str:
        """Write the weights into ``folder`` as one file, such as ``"weights.safetensors"``, and return its name."""

    @abstractmethod
    def _read(self, weights: Path, header: DumpHeader) -> None:
        """Take the weights from the file that ``_write`` wrote.

        Raises:
            DumpError: when they are not this model's.
        """

    def save(self, path: str | Path) -> None:
        """Write weights, architecture, labels, history and preprocessing to the one file ``path``.

        Raises:
            ModelError: when there is no model yet.
            DumpError: when the file cannot be written.
        """
        self._require_model()
        dump.write(Path(path), self._header(), self._write)

    def load(self, path: str | Path) -> Self:
        """Read what ``save`` wrote; no code in the file is run.

        Raises:
            DumpError: when ``path`` is missing, is not a dump, or is the dump of another model.
        """
        header = dump.read_header(path)
        self._check(path, header)
        with dump.weights(path, header) as weights:
            self._read(weights, header)
        self._take_header(header)
        return self

    def save_state(self, folder: Path) -> None:
        """Write what ``save`` does, and what training needs besides: its random state is the number of its steps.

        Raises:
            ModelError: when there is no model, or its training could not go on to the same numbers.
        """
        self._require_model()
        # An estimator that is fitted at the end of the epoch has no weights before.
        write = self._write_state if self._has_weights() else _write_nothing
        dump.write(folder / "model", self._header(), write)
        write_training(self._training(), folder / "training.safetensors")

    def load_state(self, folder: Path) -> None:
        header = dump.read_header(folder / "model")
        self._check(folder / "model", header)
        if header.weights != _NO_WEIGHTS:
            with dump.weights(folder / "model", header) as weights:
                self._read_state(weights, header)
        self._take_header(header)
        self._take_training(read_training(folder / "training.safetensors"))

    def _has_weights(self) -> bool:
        """Return whether there is anything that ``_write`` could write."""
        return True

    def _write_state(self, folder: Path) -> str:
        """Write the weights and all that training needs into ``folder`` as one file, as ``_write`` does."""
        return self._write(folder)

    def _read_state(self, weights: Path, header: DumpHeader) -> None:
        """Take what ``_write_state`` wrote into the model as it was built."""
        self._read(weights, header)

    def _training(self) -> dict[str, NDArray[Any]]:
        """Return what training has come to, besides the weights, as arrays by name."""
        # The header keeps them too, but not infinite ones.
        found = {f"hist/{name}": np.array(values, np.float64) for name, values in self.hist.items()}
        # Some have none, or one that follows from the number of steps.
        with suppress(ModelError):
            found["learning_rate"] = np.array(self.get_learning_rate(), np.float64)
        return found

    def _take_training(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what ``_training`` returned."""
        hist = {name.partition("/")[2]: own.tolist() for name, own in arrays.items() if name.startswith("hist/")}
        self.hist = History(hist)
        # Only where a callback has changed it: the optimizer's own state may hold it to more digits.
        if "learning_rate" in arrays and self.get_learning_rate() != float(arrays["learning_rate"]):
            self.set_learning_rate(float(arrays["learning_rate"]))

    def _header(self) -> DumpHeader:
        return DumpHeader(
            adapter=self.adapter,
            model=type(self).__name__,
            output=self.output,
            classes=self.classes,
            thresholds=self.thresholds,
            input_shape=self._signature.input_shape,
            fs=self._signature.fs,
            leads=self.leads,
            units=self.units,
            hist={name: tuple(values) for name, values in self.hist.items()},
            preprocessing=self.preprocessing,
            notes=self.notes,
            seed=self.seed,
        )

    def _take_header(self, header: DumpHeader) -> None:
        self.classes = header.classes
        self.hist = History({**self.hist, **header.hist})
        self.preprocessing = header.preprocessing
        self.thresholds = header.thresholds
        self.notes = header.notes
        self.seed = header.seed
        self._signature = InputSignature(header.input_shape, header.fs)
        # What the code declares stays.
        self.leads = self.leads if self.leads == "any" else header.leads
        self.units = self.units if self.units == "any" else header.units
        # A model that was saved untrained has not seen any targets.
        self._seen = encoding_of(header.output) if header.classes or header.output != "exclusive" else None

    @classmethod
    def accepts(cls, header: DumpHeader) -> bool:
        """Return whether a dump with this header can be one of this class."""
        return header.adapter == cls.adapter and header.model == cls.__name__

    def _check(self, path: str | Path, header: DumpHeader) -> None:
        """Refuse a dump of another backend, or of a model that learned something else."""
        if header.adapter != self.adapter:
            raise DumpError(
                f"{str(path)!r} holds a model of the adapter {header.adapter!r}, and {type(self).__name__} is of "
                f"{self.adapter!r}. Load it with the class that it was saved from, {header.model}."
            )
        if self.classes is not None and header.classes is not None and header.classes != self.classes:
            raise DumpError(
                f"{str(path)!r} has the labels {list(header.classes)}, and this model {list(self.classes)}. "
                "Load it into a new model, or pass the path of the right dump."
            )
        if self.targets is not None and header.hist.get("train_loss") and header.output != self.targets.output:
            raise DumpError(
                f"The output of the model in {str(path)!r} is {header.output!r}, and that of this "
                f"{type(self).__name__} is {self.targets.output!r}. Build the model that was saved."
            )

    def _require_model(self) -> None:
        if self.model is None:
            raise ModelError(
                f"{type(self).__name__} has no model yet. Call build(…), which must set self.model, or load(path)."
            )


def _write_nothing(folder: Path) -> str:
    (folder / _NO_WEIGHTS).touch()
    return _NO_WEIGHTS
