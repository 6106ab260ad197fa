"""How a run draws its records."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, final

from cardioflow.errors import ConfigError, nearest

__all__ = ["RunOptions"]


@final
@dataclass(frozen=True)
class RunOptions:
    """The arguments of ``run`` and ``batches``."""

    batch_size: int
    """Records drawn per batch, before any filter."""
    shuffle: bool = False
    """Whether every epoch draws in a new order, which depends on ``seed`` and the epoch alone."""
    drop_last: bool = False
    """Whether a last batch of fewer than ``batch_size`` records is left out of each epoch."""
    n_epochs: int | None = 1
    """How often every record is drawn; ``None`` goes on until you stop asking."""
    seed: int = 0
    on_error: Literal["raise", "skip"] = "raise"
    """Whether a record that a step cannot take ends the run, or is left out and listed in ``Run.skipped``."""
    threads: int = 1
    """Threads that read and transform ahead; 0 does everything in the caller's."""
    prefetch: int = 2
    """Batches that are kept ready."""
    progress: bool | None = None
    """Whether to show a progress bar; ``None`` shows it on a terminal only."""

    def __post_init__(self) -> None:
        checks = (
            ("batch_size", self.batch_size, isinstance(self.batch_size, int) and self.batch_size >= 1, "1 or more"),
            ("n_epochs", self.n_epochs, self.n_epochs is None or self.n_epochs >= 1, "1 or more, or None"),
            ("on_error", self.on_error, self.on_error in ("raise", "skip"), "'raise' or 'skip'"),
            ("threads", self.threads, self.threads >= 0, "0 or more"),
            ("prefetch", self.prefetch, self.prefetch >= 1, "1 or more"),
            ("seed", self.seed, isinstance(self.seed, int), "an integer"),
        )
        for name, value, is_right, expected in checks:
            if not is_right:
                raise ConfigError(f"run({name}={value!r}): expected {expected}.")

    @staticmethod
    def check_names(given: dict[str, Any]) -> None:
        """Raise ConfigError when ``given`` holds an argument that ``run`` does not take."""
        known = [f.name for f in fields(RunOptions)]
        for name in given:
            if name not in known:
                raise ConfigError(f"run() takes no {name!r}. {nearest(name, known)}")

    @classmethod
    def of(cls, given: dict[str, Any]) -> RunOptions:
        """Return the options that ``given`` names, the rest by default."""
        cls.check_names(given)
        if "batch_size" not in given:
            raise ConfigError("No batch_size was given, neither here nor at the end of the template. Say batch_size=….")
        return cls(**given)

    def as_dict(self) -> dict[str, Any]:
        """Return the options by name."""
        return asdict(self)
