"""A model that can be asked for by name, and how it is checked, built and loaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal, final

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.unstack import unstack
from cardioflow.errors import ConfigError, DumpError, ModelError, nearest
from cardioflow.models import dump
from cardioflow.models._config import ModelConfig
from cardioflow.models._seed import seeded
from cardioflow.models.adapters import adapter_class
from cardioflow.models.base import BaseModel
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.persistence import PersistentModel

__all__ = ["Mode", "ModelSpec"]

Mode = Literal["dynamic", "static"]


@final
@dataclass(frozen=True)
class ModelSpec:
    """A model that can be asked for by name, and how it is built."""

    name: str
    mode: Mode
    builder: Callable[..., Any]
    """The decorated function, or the zoo's class."""
    place: str
    """Where it is defined, for messages."""

    @property
    def in_zoo(self) -> bool:
        return self._zoo_class is not None

    @property
    def _zoo_class(self) -> type[BaseModel] | None:
        return self.builder if isinstance(self.builder, type) and issubclass(self.builder, BaseModel) else None

    def check(self, config: Mapping[str, Any] | None) -> None:
        """Refuse a config that cannot work, before any record is read.

        Raises:
            DumpError: when its ``path`` is missing, is not a dump, or is the dump of another model.
            ConfigError: when it has a setting that the model has no parameter for.
        """
        config = config or {}
        if self.in_zoo:
            self._settings(config)
        if "path" not in config:
            return
        header = dump.read_header(config["path"])
        self._check_dump(config["path"], header)
        others = sorted(set(config) - {"path"})
        if others and self._loader(header) is not None:
            raise ConfigError(
                f"The config of model {self.name!r} has a path, so the dump is loaded and nothing is built: "
                f"{others[0]!r} would change nothing. Remove one of them."
            )

    def build(
        self, batch: EcgBatch | None, pipeline: Any, config: Mapping[str, Any] | None, *, seed: int | None = None
    ) -> BaseModel:
        """Return the model, built or loaded as ``config`` says.

        Args:
            batch: The first batch, from which a dynamic model takes its shape; ``None`` for a static one.
            pipeline: What a static builder is given, if it takes it.
            config: The model's settings; a ``path`` among them is a dump to load.
            seed: The seed of the first weights; by default the batch's seed.

        Raises:
            DumpError: when the path is not a dump of this model.
            ConfigError: when the model does not read a setting.
            ModelError: when the builder does not return a model.
        """
        config = dict(config or {})
        self.check(config)
        path = config.get("path")
        loader = None if path is None else self._loader(dump.read_header(path))
        if path is not None and loader is not None:
            return loader.from_dump(path)
        if seed is None and batch is not None:
            seed = batch.seed
        with nullcontext() if seed is None else seeded(seed):
            zoo = self._zoo_class
            built = (
                self._from_function(batch, pipeline, config)
                if zoo is None
                else zoo.build_from(self._first(batch), self._settings(config))
            )
        if seed is not None and isinstance(built, PersistentModel):
            built.seed = seed
        return built if path is None else built.load(path)

    def _loader(self, header: DumpHeader) -> type[BaseModel] | None:
        """Return the class that loads a dump without the builder; ``None`` if the builder is needed."""
        found = self._zoo_class or adapter_class(header)
        return found if found is not None and found.holds_architecture else None

    def _check_dump(self, path: Any, header: DumpHeader) -> None:
        zoo = self._zoo_class
        if zoo is not None and issubclass(zoo, PersistentModel) and not zoo.accepts(header):
            raise DumpError(
                f"{str(path)!r} is the dump of {header.model}, and model {self.name!r} is "
                f"{zoo.__name__}. Pass the path of the right dump, or ask for the other model."
            )

    def _settings(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return the zoo's parameters in ``config``, refusing any other setting."""
        settings = {key: value for key, value in config.items() if key != "path"}
        known = set(inspect.signature(self.builder).parameters)
        unknown = sorted(set(settings) - known)
        if unknown:
            raise ConfigError(
                f"The config of model {self.name!r} has {unknown[0]!r}, which it has no parameter for. "
                f"{nearest(unknown[0], known | {'path'})}"
            )
        return settings

    def _from_function(self, batch: EcgBatch | None, pipeline: Any, config: dict[str, Any]) -> BaseModel:
        settings = ModelConfig(config)
        parameters = inspect.signature(self.builder).parameters
        given: dict[str, Any] = {}
        if "config" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            given["config"] = settings
        first = [name for name, p in parameters.items() if name != "config" and p.kind is not p.VAR_KEYWORD][:1]
        if first:
            # Passed by name, so that a builder may have config first.
            given[first[0]] = self._first(batch) if self.mode == "dynamic" else pipeline
        built = self.builder(**given)
        if not isinstance(built, BaseModel):
            returned = "nothing" if built is None else f"a {type(built).__name__}"
            raise ModelError(
                f"The builder of model {self.name!r} ({self.place}) returned {returned}, and a model was "
                "expected. Return it from the builder, and self from build."
            )
        settings.refuse_unread(self.name)
        return built

    def _first(self, batch: EcgBatch | None) -> EcgBatch:
        if batch is None:
            raise ModelError(
                f"Model {self.name!r} is dynamic: it is built from the first batch, and there is none yet. "
                'Let train_on_batch build it, pass a path in its config, or declare it with mode="static".'
            )
        if not len(batch):
            raise ModelError(f"Model {self.name!r} cannot be built from a batch without records.")
        return unstack(batch)
