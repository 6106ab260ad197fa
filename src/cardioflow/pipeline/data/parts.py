"""The parts of a data set that a split returns, in order and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, SupportsIndex, TypeVar, final, overload

from cardioflow.errors import UnknownNameError, nearest

__all__ = ["Parts"]

T = TypeVar("T")


@final
class Parts(tuple[T, ...], Generic[T]):
    """A tuple of data sets, which are found by the names of the parts too: ``parts["train"]``.

    >>> parts = Parts({"train": 1, "test": 2})
    >>> train, test = parts
    >>> parts["test"], parts.names
    (2, ('train', 'test'))
    """

    names: tuple[str, ...]
    """The name of each part; the numbers from 0 on where a split has no names."""

    def __new__(cls, parts: Mapping[str, T] | Iterable[T]) -> Parts[T]:
        named = parts if isinstance(parts, Mapping) else {str(i): part for i, part in enumerate(parts)}
        made = super().__new__(cls, named.values())
        made.names = tuple(named)
        return made

    @overload
    def __getitem__(self, which: SupportsIndex, /) -> T: ...
    @overload
    def __getitem__(self, which: slice, /) -> tuple[T, ...]: ...
    @overload
    def __getitem__(self, which: str, /) -> T: ...
    def __getitem__(self, which: Any, /) -> Any:
        """Return one part by number or name, or several by a slice.

        Raises:
            UnknownNameError: with the nearest names, when no part has that name.
        """
        if not isinstance(which, str):
            return super().__getitem__(which)
        if which not in self.names:
            raise UnknownNameError(f"The split has no part {which!r}. {nearest(which, self.names)}")
        return super().__getitem__(self.names.index(which))

    def __repr__(self) -> str:
        return f"Parts({', '.join(f'{name}: {part!r}' for name, part in zip(self.names, self, strict=True))})"

    def __reduce__(self) -> Any:
        return type(self), (dict(zip(self.names, self, strict=True)),)
