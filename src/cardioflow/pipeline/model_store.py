"""The models of one run: declared at its beginning, built when they can be."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cardioflow.batch.unstack import unstack
from cardioflow.errors import CheckpointError, ConfigError, InputError, NotRunError, UnknownNameError, nearest
from cardioflow.models.declaration import ModelSpec, find
from cardioflow.models.persistence import PersistentModel

if TYPE_CHECKING:
    from cardioflow.batch.ecg_batch import EcgBatch
    from cardioflow.models.base import BaseModel

__all__ = ["ModelSource", "ModelStore"]


class ModelSource(ABC):
    """What ``import_model`` can take a model from: another run."""

    @abstractmethod
    def get_model(self, name: str) -> BaseModel:
        """Return the model ``name``."""


@final
class ModelStore:
    """Models by name; a dynamic one is built from the first batch that asks for it.

    Args:
        config: The pipeline's configuration: the settings of a model by its name.
        batch_class: Where models that a batch class declares are looked up.
        pipeline: What the builder of a static model is given.
        seed: What the first weights depend on.
    """

    def __init__(self, config: Mapping[str, Any], batch_class: type[EcgBatch], pipeline: Any, *, seed: int) -> None:
        self._config = config
        self._batch_class = batch_class
        self._pipeline = pipeline
        self._seed = seed
        self._declared: dict[str, tuple[ModelSpec, dict[str, Any]]] = {}
        self._built: dict[str, BaseModel] = {}
        self._untrained: set[str] = set()
        self._trained: dict[str, None] = {}
        self._waiting: dict[str, list[Callable[[BaseModel], None]]] = {}
        self.first_batches: dict[str, EcgBatch] | None = None
        """With checkpoints: the batch that each dynamic model was built from, so that it can be built again."""

    @property
    def names(self) -> tuple[str, ...]:
        """The models that the run has, built or not."""
        return tuple(sorted({*self._declared, *self._built}))

    def chosen(self, name: str | None, who: str) -> str:
        """Return ``name``, which must be one of the run's models; for ``None``, the only one that it has.

        Args:
            name: What ``who`` was given.
            who: What asks, for messages.

        Raises:
            UnknownNameError: when the run has no such model.
            ConfigError: when there is not exactly one to choose from.
        """
        if name is None:
            if len(self.names) == 1:
                return self.names[0]
            found = f"{len(self.names)} models: {', '.join(map(repr, self.names))}" if self.names else "no model"
            remedy = "Pass model=…." if self.names else "Add train_on_batch(…) to the pipeline, or leave it out."
            raise ConfigError(f"{who} needs to know its model, and the run has {found}. {remedy}")
        if name not in self.names:
            raise UnknownNameError(f"{who}: the run has no model {name!r}. {nearest(name, self.names)}")
        return name

    def when_built(self, name: str, act: Callable[[BaseModel], None]) -> None:
        """Call ``act`` with the model ``name`` as soon as it is built, before its first batch; at once if it is."""
        if name in self._built:
            act(self._built[name])
        else:
            self._waiting.setdefault(name, []).append(act)

    def declare(self, name: str, config: Mapping[str, Any] | None = None) -> None:
        """Say that the run uses ``name``; a static model is built now, and a path to load is checked.

        Raises:
            UnknownNameError: when there is no such model.
            DumpError: when the configuration's ``path`` is not a dump.
        """
        given = self._config.get(name, {})
        if not isinstance(given, Mapping):
            raise ConfigError(f"The setting {name!r} is {given!r}. A model's is a mapping, such as {{'path': …}}.")
        held = self._declared[name][1] if name in self._declared else {}
        merged = {**given, **held, **(config or {})}
        declaration = find(name, self._batch_class)
        declaration.check(merged)
        self._declared[name] = (declaration, merged)
        if declaration.mode == "static" and name not in self._built:
            self._build(name, None)

    def config_of(self, name: str) -> Mapping[str, Any] | None:
        """Return the configuration that ``name`` was declared with; ``None`` for a model that was put here."""
        return self._declared[name][1] if name in self._declared else None

    def built(self, name: str) -> BaseModel | None:
        """Return the model ``name``, or ``None`` where no batch has reached it yet."""
        return self._built.get(name)

    def expect(self, name: str) -> None:
        """Declare ``name`` where nothing has, so that a wrong name or path fails before any data is read."""
        if name not in self._declared and name not in self._built:
            self.declare(name)

    def put(self, name: str, model: BaseModel) -> None:
        """Use ``model`` under ``name``."""
        self._built[name] = model
        for act in self._waiting.pop(name, ()):
            act(model)

    def warn_if_untrained(self, name: str) -> None:
        """Warn, once, that a model which this run built answers from its first weights."""
        if name not in self._untrained:
            return
        self._untrained.discard(name)
        warnings.warn(
            f"The model {name!r} was built in this run and neither trained nor loaded: its predictions come from its "
            f"first weights. Train it, or give its dump: Pipeline(config={{{name!r}: {{'path': …}}}}).",
            stacklevel=2,
        )

    def trained(self, name: str) -> None:
        """Note that ``name`` has been trained."""
        self._untrained.discard(name)
        self._trained[name] = None

    def end_epoch(self, epoch: int) -> dict[str, dict[str, float]]:
        """Tell every model that the run trains that ``epoch`` is over; return what they report, by name."""
        return {name: found for name in self._trained if (found := self._built[name].end_epoch(epoch))}

    def end_run(self) -> dict[str, dict[str, float]]:
        """Tell every model that the run trains that the run is over; return what they report, by name."""
        return {name: found for name in self._trained if (found := self._built[name].end_run())}

    def get(self, name: str, batch: EcgBatch | None = None) -> BaseModel:
        """Return the model ``name``, building it from ``batch`` where it is not there yet.

        Raises:
            NotRunError: when it is not built and there is no batch to build it from.
        """
        if name in self._built:
            return self._built[name]
        if batch is None:
            if name not in self.names:
                raise UnknownNameError(f"The run has no model {name!r}. {nearest(name, self.names)}")
            raise NotRunError(f"The model {name!r} is not built yet: no batch has reached it. Run the pipeline first.")
        if name not in self._declared:
            self.declare(name)
        if name not in self._built:
            self._build(name, unstack(batch))
        return self._built[name]

    def save(self, name: str, path: str | Path, *, preprocessing: Any = None) -> None:
        """Write the model ``name`` to ``path``, with the pipeline that turns a file into what it takes."""
        model = self.get(name)
        if preprocessing is not None:
            if not isinstance(model, PersistentModel):
                raise InputError(
                    f"save_model({name!r}, preprocessing=…): a {type(model).__name__} does not keep its preprocessing. "
                    "Leave it out, or derive the model from BackendModel."
                )
            model.preprocessing = preprocessing.to_json()
        model.save(path)

    # -- going on later ---------------------------------------------------------

    def save_state(self, folder: Path) -> dict[str, Any]:
        """Write all that training needs to go on into ``folder``, and return the rest as plain values.

        Raises:
            ModelError: when a model cannot be saved so that its training goes on to the same numbers.
        """
        built = []
        for i, (name, model) in enumerate(self._built.items()):
            own = folder / f"model-{i}"
            own.mkdir()
            model.save_state(own)
            built.append({"name": name, "class": type(model).__name__, "backend": model.backend})
        return {"built": built, "untrained": sorted(self._untrained), "trained": list(self._trained)}

    def load_state(self, folder: Path, state: Mapping[str, Any]) -> None:
        """Take what ``save_state`` wrote: a model is made as it was at first, and then gets its state.

        Raises:
            CheckpointError: when a model has become another one.
        """
        for i, saved in enumerate(state["built"]):
            name = saved["name"]
            if name not in self._built:
                self._build(name, (self.first_batches or {}).get(name))
            model = self._built[name]
            for what, now in (("class", type(model).__name__), ("backend", model.backend)):
                if saved[what] != now:
                    raise CheckpointError(
                        f"The checkpoint {str(folder)!r} is of another run: the {what} of the model {name!r} was "
                        f"{saved[what]!r}, and is now {now!r}. Run the call that wrote it, or pass another folder."
                    )
            model.load_state(folder / f"model-{i}")
        self._untrained = set(state["untrained"])
        self._trained = dict.fromkeys(state["trained"])

    def _build(self, name: str, batch: EcgBatch | None) -> None:
        declaration, config = self._declared[name]
        if batch is not None and self.first_batches is not None:
            self.first_batches[name] = batch
        built = declaration.build(batch, self._pipeline, config, seed=self._seed)
        if "path" not in config:
            self._untrained.add(name)
        self.put(name, built)
