"""Which models there are, and how each is built: ``@model``, the zoo, and a look-up by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from cardioflow import registry
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import (
    ConfigError,
    DumpError,
    DuplicateNameError,
    InputError,
    LabelError,
    ModelError,
    UnknownNameError,
    nearest,
)
from cardioflow.models import dump
from cardioflow.models._config import ModelConfig
from cardioflow.models._seed import seeded
from cardioflow.models.adapter import BackendModel
from cardioflow.models.base import BaseModel

__all__ = ["Mode", "ModelSpec", "find", "model", "names"]

Mode = Literal["dynamic", "static"]
Builder = TypeVar("Builder", bound=Callable[..., Any])

_MARK = "_cardioflow_mode"
"""The attribute that ``model`` leaves on a function in a class body, where the class keeps it."""

_declared: dict[str, dict[str, ModelSpec]] = {}
"""By name, then by the module that declared it."""


@dataclass(frozen=True)
class ModelSpec:
    """A model that can be asked for by name, and how it is built."""

    name: str
    mode: Mode
    builder: Callable[..., Any]
    """The decorated function, or the zoo's class."""
    place: str
    """Where it stands, for messages."""

    @property
    def in_zoo(self) -> bool:
        return isinstance(self.builder, type)

    def check(self, config: Mapping[str, Any] | None) -> None:
        """Refuse a config that cannot work, before any record is read.

        Raises:
            DumpError: when its ``path`` is missing, no dump, or another model's.
            ConfigError: when it sets what the model has no parameter for.
        """
        config = config or {}
        if self.in_zoo:
            self._settings(config)
        if "path" not in config:
            return
        header = dump.read_header(config["path"])
        if self.in_zoo and header.weights is not None and header.model != self.builder.__name__:
            raise DumpError(
                f"{str(config['path'])!r} is the dump of {header.model}, and model {self.name!r} is "
                f"{self.builder.__name__}. Give the path of the right dump, or ask for the other model."
            )
        others = sorted(set(config) - {"path"})
        if header.adapter == "keras" and others:
            raise ConfigError(
                f"The config of model {self.name!r} has a path, so that the dump is loaded and nothing is built: "
                f"{others[0]!r} would change nothing. Remove one of them."
            )

    def build(
        self, batch: EcgBatch | None, pipeline: Any, config: Mapping[str, Any] | None, *, seed: int | None = None
    ) -> BaseModel:
        """Return the model, built or loaded as ``config`` says.

        Args:
            batch: The first batch, which a dynamic model takes its shape from; ``None`` for a static one.
            pipeline: What a static builder is given, if it takes it.
            config: The model's settings; a ``path`` in it is a dump to load.
            seed: What the first weights are drawn from; by default the batch's seed.

        Raises:
            DumpError: when the path is no dump of this model.
            ConfigError: when the model never reads a setting.
            ModelError: when the builder returns no model.
        """
        config = dict(config or {})
        self.check(config)
        path = config.get("path")
        if path is not None and dump.read_header(path).adapter == "keras":
            return self._loaded(path)
        if seed is None and batch is not None:
            seed = batch.seed
        with nullcontext() if seed is None else seeded(seed):
            built = self._from_zoo(batch, config) if self.in_zoo else self._from_function(batch, pipeline, config)
        if seed is not None and isinstance(built, BackendModel):
            built.seed = seed
        return built if path is None else built.load(path)

    def _loaded(self, path: Any) -> BaseModel:
        """Load a Keras dump, which holds the architecture: no builder is needed."""
        from cardioflow.models.keras import KerasBaseModel

        made: BaseModel = self.builder() if self.in_zoo else KerasBaseModel()
        return made.load(path)

    def _settings(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the zoo's parameters in ``config``, refusing what is none."""
        settings = {key: value for key, value in config.items() if key != "path"}
        known = set(inspect.signature(self.builder).parameters)
        unknown = sorted(set(settings) - known)
        if unknown:
            raise ConfigError(
                f"The config of model {self.name!r} has {unknown[0]!r}, which it has no parameter for. "
                f"{nearest(unknown[0], known | {'path'})}"
            )
        return settings

    def _from_zoo(self, batch: EcgBatch | None, config: Mapping[str, Any]) -> BaseModel:
        first = self._first(batch)
        signal = first.component("signal")
        if first.target is not None and first.target.ndim == 2:
            n_classes = first.target.shape[1]
        elif first.classes is not None:
            n_classes = len(first.classes)
        else:
            raise LabelError(
                f"Model {self.name!r} is built from the first batch, and it has no labels to say how many there are. "
                'Load them (components="target") and call binarize_labels(), or give the path of a dump in the config.'
            )
        settings = self._settings(config)
        several = first.target is not None and first.target.ndim == 2 and bool((first.target.sum(axis=1) != 1).any())
        if several and "multilabel" in inspect.signature(self.builder).parameters:
            settings.setdefault("multilabel", True)
        made = self.builder(**settings)
        built: BaseModel = made.build(tuple(int(v) for v in signal.shapes[0]), n_classes)
        return built

    def _from_function(self, batch: EcgBatch | None, pipeline: Any, config: dict[str, Any]) -> BaseModel:
        settings = ModelConfig(config)
        parameters = inspect.signature(self.builder).parameters
        given: dict[str, Any] = {}
        if "config" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            given["config"] = settings
        first = [name for name, p in parameters.items() if name != "config" and p.kind is not p.VAR_KEYWORD][:1]
        if first:
            # By name, so that a builder may put config first.
            given[first[0]] = self._first(batch) if self.mode == "dynamic" else pipeline
        built = self.builder(**given)
        if not isinstance(built, BaseModel):
            raise ModelError(
                f"The builder of model {self.name!r} ({self.place}) returned {_described(built)}, and a model was "
                "expected. Return it from the builder, and self from build."
            )
        settings.refuse_unread(self.name)
        return built

    def _first(self, batch: EcgBatch | None) -> EcgBatch:
        if batch is None:
            raise ModelError(
                f"Model {self.name!r} is dynamic: it is built from the first batch, and there is none yet. "
                'Let it be built by train_on_batch, or give a path in its config, or declare it with mode="static".'
            )
        if not len(batch):
            raise ModelError(f"Model {self.name!r} cannot be built from a batch without records.")
        return unstack(batch)


def model(mode: Mode = "dynamic") -> Callable[[Builder], Builder]:
    """Declare the function below it as a model, by the function's name.

    A ``"dynamic"`` builder is called with the first batch, its segments
    unstacked, as ``builder(batch, config=…)``; a ``"static"`` one before any
    data is read, as ``builder(pipeline, config=…)``. Either may leave out what
    it does not need. In the body of a batch class the model belongs to that
    class. The function itself is returned as it was.

    Declaring a name again in the same module replaces it, as notebooks do.

    Raises:
        InputError: for another mode.

    >>> @model(mode="dynamic")
    ... def fc_model(batch, config=None):
    ...     return SimpleFCModel().build(batch.signal[0].shape)
    """
    if mode not in ("dynamic", "static"):
        raise InputError(f'model(mode={mode!r}) is neither "dynamic" nor "static". Write @model(mode="dynamic").')

    def declare(builder: Builder) -> Builder:
        name = builder.__name__
        setattr(builder, _MARK, mode)
        # A function whose qualified name ends in Class.name stands in a class body, and the class will hold it.
        outer = builder.__qualname__.rpartition(".")[0]
        if not outer or outer.endswith("<locals>"):
            _declared.setdefault(name, {})[builder.__module__] = _declaration(name, builder)
        return builder

    return declare


def find(name: str, batch_class: type[EcgBatch] = EcgBatch) -> ModelSpec:
    """Return the model ``name``: one of ``batch_class``, one declared by a function, or one of the zoo.

    Raises:
        UnknownNameError: with the nearest names.
        DuplicateNameError: when two modules declare it.
    """
    own = inspect.getattr_static(batch_class, name, None)
    if getattr(own, _MARK, None) is not None:
        return _declaration(name, own)
    places = _declared.get(name, {})
    if len(places) > 1:
        raise DuplicateNameError(
            f"Model {name!r} is declared twice, in {' and in '.join(sorted(places))}. Rename one of them."
        )
    if places:
        return next(iter(places.values()))
    if name in registry.models:
        place = registry.models.locations()[name]
        return ModelSpec(name, "dynamic", registry.models.get(name), place)
    known = {*names(), *(n for n in dir(batch_class) if _is_model(batch_class, n))}
    raise UnknownNameError(f"There is no model {name!r}. {nearest(name, known)}")


def names() -> tuple[str, ...]:
    """Return the names of all models: the declared ones and the zoo's."""
    return tuple(sorted({*_declared, *registry.models.names()}))


def _is_model(batch_class: type, name: str) -> bool:
    return getattr(inspect.getattr_static(batch_class, name, None), _MARK, None) is not None


def _declaration(name: str, builder: Any) -> ModelSpec:
    return ModelSpec(name, getattr(builder, _MARK), builder, f"{builder.__module__}.{builder.__qualname__}")


def _described(built: Any) -> str:
    return "nothing" if built is None else f"a {type(built).__name__}"
