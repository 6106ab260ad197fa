"""How a run draws its records."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from cardioflow.errors import ConfigError, nearest
from cardioflow.pipeline.callbacks.base import Callback
from cardioflow.pipeline.intervals import Interval
from cardioflow.registry import engines

if TYPE_CHECKING:
    from cardioflow.pipeline.samplers.base import Sampler

__all__ = ["RunOptions", "with_batch_size"]


@final
@dataclass(frozen=True)
class RunOptions:
    """The arguments of ``run`` and ``batches``."""

    batch_size: int
    """Records drawn per batch, before any filter."""
    shuffle: bool = False
    """Whether every epoch draws in a new order, which depends on ``seed`` and the epoch alone."""
    sampler: Sampler | None = None
    """What draws the records in place of ``shuffle``, such as ``cardioflow.samplers.Balanced("target")``."""
    drop_last: bool = False
    """Whether a last batch of fewer than ``batch_size`` records is left out of each epoch."""
    n_epochs: int | None = 1
    """How often every record is drawn; ``None`` goes on until you stop asking."""
    epoch: int = 0
    """The number of the first epoch, which order and random actions depend on."""
    seed: int = 0
    """What the order, random actions and first weights depend on."""
    on_error: Literal["raise", "skip"] = "raise"
    """Whether a record that a step cannot take ends the run, or is left out and listed in ``Run.skipped``."""
    threads: int = 1
    """Threads that read and transform ahead; 0 does everything in the caller's."""
    processes: int = 0
    """Processes that read and transform ahead, in place of threads."""
    workers: Literal["auto"] | None = None
    """``"auto"`` measures the first batches and takes the caller's thread, threads or processes."""
    prefetch: int | None = None
    """Batches that are kept ready; ``None`` keeps two, or one per thread, or two per process."""
    profile: bool = False
    """Whether ``Run.report()`` shows the time, bytes and waits of every step."""
    progress: bool | None = None
    """Whether to show a progress bar; ``None`` shows it on a terminal only."""
    engine: str = "local"
    """What runs the pure steps: ``"local"``, this machine, or ``"ray"``, a cluster."""
    address: str | None = None
    """Of the Ray cluster: ``"host:6379"``, ``"ray://host:10001"`` or ``"auto"``; ``None`` takes the variable
    ``RAY_ADDRESS`` of the environment, or starts a local cluster."""
    actors: int = 1
    """Processes of the Ray cluster that hold a model each, to predict with."""
    gpus_per_actor: float = 0
    """GPUs that each of them needs; a fraction shares one."""
    trainers: int = 0
    """Processes of the Ray cluster that train together, each on its share of every batch; 0 trains here."""
    gpus_per_trainer: float = 0
    """GPUs that each of them needs."""
    share: tuple[int, int] = (0, 1)
    """The share of every batch that this process draws: its number, from 0, and how many processes train together."""
    callbacks: tuple[Callback, ...] = ()
    """What is called when the run, an epoch or a batch begins or ends."""
    checkpoint: str | Path | None = None
    """A folder that the state of the run is written to; the same call goes on from there."""
    every: str | int | timedelta = "epoch"
    """When that is done: ``"epoch"``, after a number of batches, or after a time: ``"10min"``, a ``timedelta``."""
    keep: int = 2
    """How many checkpoints are kept."""

    def __post_init__(self) -> None:
        whole = (
            ("batch_size", 1),
            ("epoch", 0),
            ("threads", 0),
            ("processes", 0),
            ("seed", None),
            ("keep", 1),
            ("actors", 1),
            ("trainers", 0),
        )
        for name, least in whole:
            self._whole(name, least)
        for name in ("n_epochs", "prefetch"):
            if getattr(self, name) is not None:
                self._whole(name, 1, " or None")
        for name in ("shuffle", "drop_last", "profile"):
            self._check(name, lambda v: isinstance(v, bool), "True or False")
        self._check("progress", lambda v: v is None or isinstance(v, bool), "True, False or None")
        self._check("on_error", lambda v: v in ("raise", "skip"), "'raise' or 'skip'")
        expected = "a sampler such as cardioflow.samplers.Balanced('target'), or None"
        self._check("sampler", _is_sampler, expected)
        self._check("engine", lambda v: v in engines, " or ".join(map(repr, engines.names())))
        Interval.of(self.every)
        self._check("checkpoint", lambda v: v is None or isinstance(v, str | Path), "the path of a folder, or None")
        self._check("address", lambda v: v is None or (isinstance(v, str) and bool(v)), "an address, or None")
        self._check("gpus_per_actor", lambda v: isinstance(v, int | float) and v >= 0, "a number of at least 0")
        self._check("gpus_per_trainer", lambda v: isinstance(v, int | float) and v >= 0, "a number of at least 0")
        self._check("share", _is_share, "the number of this process, from 0, and how many there are, such as (0, 4)")
        self._check("workers", lambda v: v in (None, "auto"), "'auto' or None")
        self._check_workers()
        object.__setattr__(self, "callbacks", tuple(self.callbacks))
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ConfigError(
                    f"run(callbacks=…) holds a {type(callback).__name__}. Expected objects of a subclass of "
                    "cardioflow.pipeline.callbacks.base.Callback."
                )

    def _check_workers(self) -> None:
        """Check that threads, processes and what they keep ready fit together."""
        if self.trainers and self.engine != "ray":
            raise ConfigError(f"run(trainers={self.trainers}) needs a cluster. Pass engine='ray'.")
        if self.engine != "local" and (self.processes or self.workers):
            given = f"processes={self.processes}" if self.processes else f"workers={self.workers!r}"
            raise ConfigError(
                f"run(engine={self.engine!r}, {given}): this engine has workers of its own. Leave out {given}."
            )
        if self.processes and self.threads > 1:
            raise ConfigError(
                f"run(threads={self.threads}, processes={self.processes}): batches are made in threads or in "
                "processes. Pass one of them, or workers='auto'."
            )
        if self.workers == "auto" and (self.processes or self.threads != 1):
            raise ConfigError(
                "run(workers='auto') measures which of threads and processes to take. Leave out threads= and "
                "processes=, or leave out workers=."
            )
        for name, one in (("threads", "thread"), ("processes", "process")):
            n = getattr(self, name)
            if self.prefetch is not None and self.prefetch < n:
                raise ConfigError(
                    f"run(prefetch={self.prefetch}, {name}={n}): each {one} prepares a batch of its own, so that fewer "
                    f"batches than {name} leave {name} idle. Pass prefetch={n} or more, or leave it out."
                )

    def _whole(self, name: str, least: int | None, otherwise: str = "") -> None:
        """Check that ``name`` is a whole number of at least ``least``, NumPy's included, and store it as ``int``."""
        value = getattr(self, name)
        expected = "a whole number" + ("" if least is None else f" of at least {least}") + otherwise
        try:
            number = operator.index(value)
        except TypeError:
            number = None
        if number is None or isinstance(value, bool) or (least is not None and number < least):
            raise ConfigError(f"run({name}={value!r}): expected {expected}.")
        object.__setattr__(self, name, number)

    def _check(self, name: str, is_right: Callable[[Any], bool], expected: str) -> None:
        value = getattr(self, name)
        if not is_right(value):
            raise ConfigError(f"run({name}={value!r}): expected {expected}.")

    @property
    def n_prefetched(self) -> int:
        """How many batches are kept ready."""
        return max(2, self.threads, 2 * self.processes) if self.prefetch is None else self.prefetch

    @staticmethod
    def check_names(given: Mapping[str, Any]) -> None:
        """Raise ConfigError when ``given`` holds an argument that ``run`` does not take."""
        known = [f.name for f in fields(RunOptions)]
        for name in given:
            if name not in known:
                raise ConfigError(f"run() takes no {name!r}. {nearest(name, known)}")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> RunOptions:
        """Return the options that ``given`` names, the rest by default."""
        cls.check_names(given)
        if "batch_size" not in given:
            raise ConfigError(
                "No batch_size was given, neither here nor at the end of the template. Pass batch_size=…."
            )
        return cls(**given)


def with_batch_size(batch_size: int | None, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``run`` by name, without a batch size that was not given."""
    return dict(arguments) if batch_size is None else {"batch_size": batch_size, **arguments}


def _is_share(value: Any) -> bool:
    whole = isinstance(value, tuple) and len(value) == 2 and all(type(n) is int for n in value)
    return whole and 0 <= value[0] < value[1]


def _is_sampler(value: Any) -> bool:
    if value is None:
        return True
    from cardioflow.pipeline.samplers.base import Sampler  # imports what reads labels, which few runs need

    return isinstance(value, Sampler)
