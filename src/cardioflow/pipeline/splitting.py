"""Who goes into which part of a split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.core.random_keys import generator, record_keys
from cardioflow.errors import InputError

__all__ = ["assign_parts"]


def assign_parts(
    ids: Sequence[str],
    shares: Sequence[float],
    *,
    stratify: Mapping[str, Any] | None,
    groups: Mapping[str, Any] | None,
    seed: int,
) -> NDArray[np.int64]:
    """Return the part of each record, -1 for one that no share covers.

    Groups go whole into one part. Within each stratum (a group's most frequent
    label) they are drawn in a random order, the largest first, each into the
    part that lacks most records of its stratum.
    """
    members: dict[Any, list[int]] = defaultdict(list)
    for i, name in enumerate(ids):
        members[_of(groups, name, "groups") if groups is not None else name].append(i)
    strata: dict[str, list[Any]] = defaultdict(list)
    for group, rows in members.items():
        label = (
            ""
            if stratify is None
            else Counter(str(_of(stratify, ids[i], "stratify")) for i in rows).most_common(1)[0][0]
        )
        strata[label].append(group)

    rest = 1 - sum(shares)
    wanted = np.array([*shares, rest] if rest > 1e-9 else shares)
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


def _of(table: Mapping[str, Any], record: str, argument: str) -> Any:
    if record not in table:
        raise InputError(f"split({argument}=…) says nothing of record {record!r}. Give every record an entry.")
    return table[record]
