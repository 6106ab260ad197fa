"""What models of models share: their labels, a refusal to train, and a dump of dumps."""

from __future__ import annotations

import json
import shutil
import zipfile
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import DumpError, FormatError, ModelError
from cardioflow.models import dump
from cardioflow.models._infer_targets import encoding_of
from cardioflow.models._plain_loss import plain_loss
from cardioflow.models._scores import keys, resolve, score
from cardioflow.models.adapters import from_dump, model_class
from cardioflow.models.dump_header import DumpHeader, Output
from cardioflow.models.persistence import PersistentModel
from cardioflow.models.targets import Response

__all__ = ["CombinedModel", "combined_predictions"]

Array = NDArray[Any]

_ABOUT = "about.json"
_MOST_MEMBERS = 1000


class CombinedModel(PersistentModel):
    """A model that asks others, and is not trained itself."""

    holds_architecture = True
    refuses: ClassVar[frozenset[str]] = frozenset()
    """The adapters of models that cannot be inside."""

    def __init__(self, members: Sequence[PersistentModel]) -> None:
        super().__init__()
        # So that from_dump can make one before it reads the members.
        if members:
            self._take_members(members)

    @property
    def members(self) -> tuple[PersistentModel, ...]:
        """The models that are asked."""
        self._require_model()
        found: tuple[PersistentModel, ...] = self.model
        return found

    @property
    def output(self) -> Output:
        return self.members[0].output

    @property
    def backend(self) -> str:
        return " and ".join(sorted({member.backend or member.adapter for member in self.members}))

    @abstractmethod
    def predict_on_batch(self, batch: EcgBatch) -> Array:
        """Return one prediction per row of ``unstack(batch)``."""

    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> NoReturn:  # noqa: ARG002 -- refused
        """Refuse to train.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"{type(self).__name__} only predicts: it combines models that were trained on their own. Train each of "
            "its members, and combine them again."
        )

    def test_on_batch(
        self, batch: EcgBatch, metrics: Any = None, response: Response | None = None, **kwargs: Any
    ) -> dict[str, float]:
        """Return the usual loss of the combined predictions, and the metrics.

        Raises:
            ModelError: when a metric fails.
        """
        wanted = resolve(metrics, response, kwargs)
        p = self.predict_on_batch(batch)
        encoding = self.members[0].targets or encoding_of(self.output)
        y = encoding.encode(unstack(batch), p)
        encoding.check_classes(self.classes, batch.classes, y)
        found = score(wanted, y, p, encoding)
        return {"loss": plain_loss(self.output, y, p), **dict(zip(keys(wanted), found.values(), strict=True))}

    # -- inside ----------------------------------------------------------------

    def _take_members(self, members: Sequence[PersistentModel]) -> None:
        """Use ``members``, after a check that their outputs mean the same.

        Raises:
            ModelError: naming what differs.
        """
        for member in members:
            if not isinstance(member, PersistentModel) or member.adapter in self.refuses:
                raise ModelError(
                    f"Member {type(member).__name__} cannot be part of {type(self).__name__}. Pass trained models."
                )
        first = members[0]
        for i, member in enumerate(members[1:], start=1):
            if member.classes != first.classes or member.output != first.output:
                raise ModelError(
                    f"Model 0 predicts {first.output!r} of {first.classes}, and model {i} {member.output!r} of "
                    f"{member.classes}. Combine models of the same labels, in the same order."
                )
        self.model = tuple(members)
        self.classes = first.classes
        self.thresholds = first.thresholds
        self.leads, self.units = first.leads, first.units
        self.targets, self._seen, self._signature = first.targets, first._seen, first._signature

    def _about(self) -> dict[str, Any]:
        """Return what the dump says beside the members, as JSON."""
        return {}

    def _take_about(self, about: Mapping[str, Any]) -> None:
        """Take what ``_about`` returned; raise ``ModelError`` or ``ValueError`` for what it cannot be."""

    def _write(self, folder: Path) -> str:
        with zipfile.ZipFile(folder / "weights.zip", "w", zipfile.ZIP_STORED) as archive, TemporaryDirectory() as own:
            archive.writestr(_ABOUT, json.dumps(self._about(), allow_nan=False))
            for i, member in enumerate(self.members):
                member.save(Path(own) / "member")
                if model_class(dump.read_header(Path(own) / "member")) is None:
                    raise ModelError(
                        f"Model {i}, a {type(member).__name__}, is saved without its layers, which only its own code "
                        "can build, so that the whole could not be loaded. Export it to ONNX first."
                    )
                archive.write(Path(own) / "member", f"{i}.member")
        return "weights.zip"

    def _read(self, weights: Path, header: DumpHeader) -> None:
        try:
            with zipfile.ZipFile(weights) as archive, TemporaryDirectory() as own:
                members = self._members_in(archive, weights.stat().st_size, Path(own))
                about = parse_limited(archive.read(_ABOUT), max_bytes=2**20, max_values=10_000, max_depth=8)
            self._take_members(members)
            self._take_about(dict(about))
        except DumpError:
            raise
        except (zipfile.BadZipFile, KeyError, TypeError, ValueError, FormatError, ModelError, OSError) as error:
            raise DumpError(f"The dump of {header.model} does not hold its members: {error}") from error

    def _members_in(self, archive: zipfile.ZipFile, size: int, folder: Path) -> list[PersistentModel]:
        entries = archive.infolist()
        n = len(entries) - 1
        names = {_ABOUT, *(f"{i}.member" for i in range(n))}
        if {entry.filename for entry in entries} != names or not 0 < n <= _MOST_MEMBERS:
            raise DumpError(f"A dump of several models holds {n + 1} files, not members with the numbers from 0 on.")
        if sum(entry.file_size for entry in entries) > size:
            raise DumpError("A dump of several models claims more content than its own size.")
        found = []
        for i in range(n):
            path = folder / str(i)
            with archive.open(f"{i}.member") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
            # Before it is loaded, so that a file cannot nest such models without end.
            adapter = dump.read_header(path).adapter
            if adapter in self.refuses:
                raise DumpError(f"Model {i} inside of {type(self).__name__} is itself of the kind {adapter!r}.")
            member = from_dump(path)
            if not isinstance(member, PersistentModel):
                raise DumpError(f"Model {i} was loaded as a {type(member).__name__}, which cannot be combined.")
            found.append(member)
        return found


def combined_predictions(predictions: Sequence[Array], weights: Array) -> Array:
    """Return the weighted mean of predictions of one shape, computed in float64.

    Raises:
        ModelError: when the shapes differ.
    """
    shapes = {np.shape(p) for p in predictions}
    if len(shapes) > 1:
        raise ModelError(
            f"The models predict arrays of the shapes {', '.join(map(str, sorted(shapes)))} for one batch, so that "
            "there is no mean. Combine models that predict the same rows."
        )
    total = sum(w * np.asarray(p, np.float64) for w, p in zip(weights, predictions, strict=True))
    found: Array = np.asarray(total / weights.sum(), np.asarray(predictions[0]).dtype)
    return found
