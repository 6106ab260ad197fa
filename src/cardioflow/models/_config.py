"""The settings of one model, which record the keys that were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cardioflow.errors import ConfigError, nearest

__all__ = ["ModelConfig"]


class ModelConfig(dict[str, Any]):
    """A model's config as a builder gets it: a dictionary that records which keys were read.

    ``**config``, ``dict(config)`` and a loop read all of them.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self.read: set[str] = set()

    def refuse_unread(self, name: str) -> None:
        """Refuse a setting that had no effect.

        Raises:
            ConfigError: with the nearest key that was read.
        """
        # The adapter reads the path, after the model is built.
        unread = sorted(set(dict.keys(self)) - self.read - {"path"})
        if unread:
            known = self.read | {"path"}
            raise ConfigError(
                f"The config of model {name!r} has {unread[0]!r}, which the model never reads. "
                f"{nearest(unread[0], known)} Otherwise remove it."
            )

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        self.read.add(key)
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().setdefault(key, default)

    # With __iter__ and keys overridden, ** and dict() use them.
    def __iter__(self) -> Iterator[str]:
        self._read_all()
        return super().__iter__()

    def keys(self) -> Any:
        self._read_all()
        return super().keys()

    def values(self) -> Any:
        self._read_all()
        return super().values()

    def items(self) -> Any:
        self._read_all()
        return super().items()

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def _read_all(self) -> None:
        self.read.update(super().keys())
