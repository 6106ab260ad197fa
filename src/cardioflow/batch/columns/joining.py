"""Several batches joined into one, with checks that their rows mean the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cardioflow.batch.columns.base import Column
from cardioflow.batch.columns.static import concat_values
from cardioflow.batch.meta import Meta
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import InputError, LabelError

__all__ = ["join"]

Classes = tuple[str, ...] | None


def join(batches: Sequence[Any]) -> dict[str, Any]:
    """Return the fields of a batch that has the rows of all ``batches``; a component that one lacks is ``None``.

    Raises:
        InputError: when they differ in seed or epoch, or a component differs in kind, type or number of axes.
        LabelError: when their classes differ, or only some are binarized.
    """

    def joined(name: str, join_values: Callable[[list[Any]], Any]) -> Any:
        values = [getattr(b, name) for b in batches]
        return None if any(v is None for v in values) else join_values(values)

    for name in ("seed", "epoch"):
        _check_equal(name, [getattr(b, name) for b in batches])
    return {
        "ids": _chain([b.ids for b in batches]),
        "locations": joined("locations", _chain),
        "signal": joined("signal", Ragged.concat),
        "annotation": joined("annotation", _chain),
        "meta": joined("meta", Meta.concat),
        "target": joined("target", lambda targets: _join_targets(targets, [b.classes for b in batches])),
        "columns": _join_columns([b.columns for b in batches]),
        "provenance": Provenance.concat([b.provenance for b in batches]),
        "history": _join_histories([b.history for b in batches]),
    }


def _chain(parts: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(value for part in parts for value in part)


def _join_columns(parts: Sequence[Mapping[str, Column]]) -> dict[str, Column]:
    """Return the columns that all ``parts`` have, joined.

    Raises:
        InputError: when a column differs in kind or type.
    """
    joined: dict[str, Column] = {}
    for name in parts[0]:
        own = [part[name] for part in parts if name in part]
        if len(own) < len(parts):
            continue
        kinds = sorted({column.kind for column in own})
        if len(kinds) > 1:
            raise InputError(
                f"Batches whose component {name!r} differs in kind ({', '.join(kinds)}) cannot be joined. "
                "Pass the same kind= to with_component for all of them."
            )
        joined[name] = type(own[0]).concat(name, own)
    return joined


def _join_targets(targets: Sequence[NDArray[Any]], classes: Sequence[Classes]) -> NDArray[Any]:
    """Return the targets one after another.

    Raises:
        LabelError: when only some are binarized, or the classes differ, so that a column would mean two labels.
    """
    binarized = [target.dtype.kind == "f" and target.ndim > 1 for target in targets]
    if any(binarized) and not all(binarized):
        raise LabelError(
            "Batches of which some have binarized targets and some have labels cannot be joined. "
            "Call binarize_labels on all of them or on none."
        )
    for other in classes:
        if other != classes[0]:
            raise LabelError(
                f"Batches of the classes {_shown(classes[0])} and {_shown(other)} cannot be joined. "
                "Load their targets from one table, or pass the same classes to all of them."
            )
    joined: NDArray[Any] = concat_values("target", targets)
    return joined


def _check_equal(name: str, values: Sequence[int]) -> None:
    """Check that all batches have the same seed or epoch, from which the random numbers of their rows are drawn.

    Raises:
        InputError: when they differ.
    """
    if len(set(values)) > 1:
        found = ", ".join(map(str, sorted(set(values))))
        raise InputError(
            f"Batches of different {name}s ({found}) cannot be joined: their rows draw different random numbers. "
            f"Join batches of one run, or call replace({name}=…) on them first."
        )


def _join_histories(histories: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the longest history, and after it what occurs in others more often.

    A random action counts its occurrences in it, so that it draws no number twice for any row.
    """
    longest = max(histories, key=len)
    if all(history == longest for history in histories):
        return longest
    most = Counter(longest)
    for history in histories:
        most |= Counter(history)
    return (*longest, *sorted((most - Counter(longest)).elements()))


def _shown(classes: Classes) -> str:
    return "None" if classes is None else f"({', '.join(map(repr, classes))})"
