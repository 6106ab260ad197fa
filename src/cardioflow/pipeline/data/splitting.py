"""Which record goes into which part of a split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import generator, record_keys
from cardioflow.errors import InputError, UnknownNameError
from cardioflow.pipeline.data.folding import assign_folds
from cardioflow.pipeline.data.record_table import plain
from cardioflow.pipeline.labels.cells import TableShape, is_missing
from cardioflow.pipeline.labels.table_sources import pairs_of
from cardioflow.pipeline.record_ids import record_id

__all__ = ["fold_rows", "share_rows"]


def share_rows(ids: Sequence[str], given: Any, *, stratify: Any, groups: Any, seed: int) -> list[list[int]]:
    """Return the positions in ``ids`` of the records of each part, of about the shares that are given.

    Args:
        ids: The records.
        given: One share, which stands for itself and the rest, or one per part.
        stratify: A label per record: a mapping of ids, a pandas Series or DataFrame, or an Arrow table.
        groups: A group per record, in the same forms.
        seed: Of the random order.

    Raises:
        InputError: when the shares are not positive or add up to more than 1.
    """
    shares = _shares(given)
    # Written so that NaN, which compares as false with everything, is refused too.
    if not shares or not min(shares) > 0 or not sum(shares) <= 1 + 1e-9:
        raise InputError(f"split({given!r}): shares must be positive and add up to at most 1.")
    part = _assign_parts(ids, shares, stratify=stratify, groups=groups, seed=seed)
    return [np.flatnonzero(part == i).tolist() for i in range(len(shares))]


def fold_rows(ids: Sequence[str], n_folds: Any, *, stratify: Any, groups: Any, seed: int) -> list[list[int]]:
    """Return the positions in ``ids`` of the records of each of ``n_folds`` folds of about one size.

    Args:
        ids: The records.
        n_folds: How many.
        stratify: A label per record, or several as a tuple, in the forms of ``share_rows``.
        groups: A group per record.
        seed: Of the random order.

    Raises:
        InputError: for fewer than two folds, or more than there are groups.
    """
    if isinstance(n_folds, bool) or not isinstance(n_folds, (int, np.integer)) or n_folds < 2:
        raise InputError(f"split(folds={n_folds!r}): expected a whole number of at least 2.")
    group_of = list(ids) if groups is None else _groups(groups, ids)
    n_groups = len(set(group_of))
    if n_groups < n_folds:
        raise InputError(
            f"split(folds={n_folds}): the {len(ids)} records are of {n_groups} patients or groups, which do not fill "
            f"{n_folds} folds. Pass folds={n_groups} or fewer."
        )
    label_of = [()] * len(ids) if stratify is None else _values(stratify, ids, "stratify")
    several = [label if isinstance(label, tuple) else (label,) for label in label_of]
    fold = assign_folds(several, group_of, [1 / n_folds] * n_folds, seed=seed)
    return [np.flatnonzero(fold == i).tolist() for i in range(n_folds)]


def _shares(given: Any) -> tuple[float, ...]:
    """Return the shares as numbers; one stands for itself and the rest.

    Raises:
        InputError: for something else than a number or a sequence of them.
    """
    if isinstance(given, (str, bytes, Mapping, set, frozenset)):
        raise InputError(
            f"split({given!r}) is a {type(given).__name__}; expected one share, such as 0.8, or a list of them. "
            "For parts of a table, pass by=…."
        )
    try:
        shares = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        shares = np.empty((0, 0))
    if shares.ndim > 1:
        raise InputError(f"split({given!r}): expected one share, such as 0.8, or a list of them.")
    found: list[float] = shares.reshape(-1).tolist()
    return (found[0], 1 - found[0]) if shares.ndim == 0 else tuple(found)


def _assign_parts(
    ids: Sequence[str],
    shares: Sequence[float],
    *,
    stratify: Any,
    groups: Any,
    seed: int,
) -> NDArray[np.int64]:
    """Return the part of each record, -1 for one that no share covers.

    Groups go whole into one part. Within each stratum (a group's most frequent
    label) they are drawn in a random order, the largest first, each into the
    part that lacks most records of its stratum. Strata that are too small to
    give every part a record are drawn together: one by one they would all go to
    the largest part. Records of several labels have as many strata as
    combinations; they are dealt out by ``assign_folds``.

    Args:
        ids: The records.
        shares: The share of each part.
        stratify: A label per record: a mapping of ids, a pandas Series or DataFrame, or an Arrow table.
        groups: A group per record, in the same forms.
        seed: Of the random order.

    Raises:
        InputError: for a table without an entry for each record.
    """
    group_of = None if groups is None else _groups(groups, ids)
    label_of = None if stratify is None else _values(stratify, ids, "stratify")
    rest = 1 - sum(shares)
    wanted = np.array([*shares, rest] if rest > 1e-9 else shares)
    if label_of is not None and any(isinstance(label, tuple) for label in label_of):
        several = [label if isinstance(label, tuple) else (label,) for label in label_of]
        fold = assign_folds(several, ids if group_of is None else group_of, wanted / wanted.sum(), seed=seed)
        return np.where(fold < len(shares), fold, -1)
    members: dict[Any, list[int]] = defaultdict(list)
    for i, name in enumerate(ids):
        members[name if group_of is None else group_of[i]].append(i)
    strata: dict[str, list[Any]] = defaultdict(list)
    for group, rows in members.items():
        label = "" if label_of is None else Counter(str(label_of[i]) for i in rows).most_common(1)[0][0]
        strata[label].append(group)
    strata = _with_small_ones_joined(strata, members, wanted)

    part = np.full(len(ids), -1, np.int64)
    for label in sorted(strata):
        order = generator(record_keys([f"split/{seed}/{label}"])[0]).permutation(len(strata[label]))
        drawn = sorted((strata[label][i] for i in order), key=lambda g: -len(members[g]))
        lacking = wanted * sum(len(members[g]) for g in drawn)
        for group in drawn:
            chosen = int(np.argmax(lacking))
            lacking[chosen] -= len(members[group])
            part[members[group]] = chosen if chosen < len(shares) else -1
    return part


def _with_small_ones_joined(
    strata: Mapping[str, list[Any]], members: Mapping[Any, list[int]], wanted: NDArray[np.float64]
) -> dict[str, list[Any]]:
    """Return the strata, in order, with those of which the smallest part would get no record as one."""
    found: dict[str, list[Any]] = {}
    small: list[str] = []
    for label in sorted(strata):
        n_records = sum(len(members[group]) for group in strata[label])
        if n_records * wanted.min() < 0.5:
            small.append(label)
        else:
            found[label] = strata[label]
    if small:
        found["\0".join(small)] = [group for label in small for group in strata[label]]
    return found


def _groups(table: Any, ids: Sequence[str]) -> list[Any]:
    """Return the group of each record; a number and its text, which joined tables may have, are one."""
    given = _values(table, ids, "groups")
    return [str(plain(own)) if isinstance(own, (int, float, np.number)) else own for own in given]


def _values(table: Any, ids: Sequence[str], argument: str) -> list[Any]:
    """Return the value of each record in ``table``.

    Raises:
        InputError: for a record without a value, or with two.
    """
    found: dict[str, Any] = {}
    for key, value in _pairs(table, argument):
        try:
            name = record_id(key)
        except InputError as error:
            raise InputError(f"split({argument}=…): {error} Set the ids as the index of the table.") from None
        if name in found and found[name] != value:
            raise InputError(
                f"split({argument}=…) has two values for record {name!r}: {found[name]!r} and {value!r}. Keep one."
            )
        found[name] = value
    values = []
    for name in ids:
        if name not in found or is_missing(found[name]):
            raise InputError(f"split({argument}=…) has no value for record {name!r}. Add one for every record.")
        value = _hashable(found[name])
        if value is None:
            raise InputError(
                f"split({argument}=…) has a {type(found[name]).__name__} for record {name!r}. "
                "Pass a text or a number, or a list of them."
            )
        values.append(value)
    return values


def _hashable(value: Any) -> Hashable | None:
    """Return ``value`` with a tuple for a sequence or a set of values; ``None`` where it cannot be compared."""
    if isinstance(value, (set, frozenset)):
        # The order of a set of texts changes from process to process.
        value = tuple(sorted(value, key=str))
    elif isinstance(value, (list, np.ndarray)):
        value = tuple(value)
    try:
        hash(value)
    except TypeError:
        return None
    known: Hashable = value
    return known


def _pairs(table: Any, argument: str) -> Sequence[tuple[Any, Any]]:
    if isinstance(table, (str, bytes, Sequence, np.ndarray)):
        raise InputError(
            f"split({argument}=…) is a {type(table).__name__}, which does not say which record each value belongs to. "
            "Pass a mapping of ids, such as dict(zip(dataset.ids, values)), or a pandas Series with the ids as index."
        )
    try:
        return pairs_of(table, TableShape())[0]
    except (InputError, UnknownNameError) as error:
        raise InputError(
            f"split({argument}=…): expected a mapping of ids, a pandas Series, or a table of two columns, ids and "
            f"values; got a {type(table).__name__}. {error}"
        ) from None
