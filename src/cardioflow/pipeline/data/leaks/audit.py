"""The leak guard: what a test part shares with a training part."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from cardioflow.errors import InputError, UnknownNameError, nearest
from cardioflow.pipeline.data.leaks.matching import SAME_LENGTH_S, Match, matches, same_samples
from cardioflow.pipeline.data.leaks.prints import SignalPrints, print_records
from cardioflow.pipeline.data.leaks.report import Audit, Kind, Leak
from cardioflow.pipeline.data.leaks.tapes import DATABASES, EXEMPTIONS, tape_of
from cardioflow.pipeline.data.record_index import RecordIndex
from cardioflow.pipeline.data.record_table import plain

__all__ = ["audit", "audit_parts"]

_SAME_START_S = 0.05
_COUNTS = re.compile(r" \(\d+ and \d+ records\)$")


def audit(
    train: RecordIndex,
    test: RecordIndex | None = None,
    *,
    exempt: Collection[str | tuple[str, str]] = (),
    signals: bool = True,
    databases: Sequence[str | None] = (None, None),
    leads: Sequence[str] | Literal["all"] | None = None,
    min_overlap_s: float = 5.0,
    min_correlation: float = 0.97,
    on_error: Literal["raise", "skip"] = "raise",
    **options: Any,
) -> Audit:
    """Return what the records of ``test`` share with those of ``train``; without ``test``, copies within ``train``.

    Looked for are: records, patients and tapes that both parts have; leads of the
    same samples; leads of the same signal after another gain, polarity, sampling
    rate or filter; and excerpts that overlap. Patients are those of the column
    ``patient`` of the data sets' tables. Tapes are recordings that public databases
    share, such as QTDB's ``sel100`` and the MIT-BIH Arrhythmia Database's ``100``;
    data sets of ``cardioflow.datasets`` know theirs.

    Signals are compared by fingerprints (``cardioflow.dsp.fingerprint``), at 100 Hz
    and between 2 and 20 Hz. Copies that hold more noise than signal, or less than
    five beats in common, are not found.

    Args:
        train: The records that a model is trained on.
        test: Those that it is tested on.
        exempt: Leaks that are known: ``"mitdb-201-202"``, which de Chazal's split of the MIT-BIH Arrhythmia Database
            has; a patient or tape; or pairs of record ids.
        signals: Whether to read the records and compare their signals.
        databases: The public databases that ``train`` and ``test`` are, by their names in PhysioNet's addresses
            (``"mitdb"``), where the data sets do not know it themselves.
        leads: The names of the leads to compare, or ``"all"``. By default all of a record of up to three, and I, II
            and V2 of others.
        min_overlap_s: The shortest part in common that counts.
        min_correlation: The smallest correlation that counts of whole signals, and of parts of at least 12 s; of
            shorter parts, that is halfway from it to 1.
        on_error: Whether a record that cannot be read is an error, or is left out and listed.
        **options: Those of ``load``, such as ``fs=500``.

    Raises:
        UnknownNameError: for a database without known tapes.
        InputError: for a correlation that is not between 0 and 1, or an overlap that is not positive.
    """
    # Out of these bounds, nothing would ever be found.
    if isinstance(min_correlation, bool) or not 0 < min_correlation <= 1:
        raise InputError(f"audit(min_correlation={min_correlation!r}): expected a number above 0 and up to 1.")
    if isinstance(min_overlap_s, bool) or not 0 < min_overlap_s < math.inf:
        raise InputError(f"audit(min_overlap_s={min_overlap_s!r}): expected a positive number of seconds.")
    if on_error not in ("raise", "skip"):
        raise InputError(f"audit(on_error={on_error!r}): expected 'raise' or 'skip'.")
    for name in databases:
        if name is not None and name not in DATABASES:
            raise UnknownNameError(f"audit(databases=…): no tapes are known of {name!r}. {nearest(name, DATABASES)}")
    if len(databases) != 2:
        raise InputError(f"audit(databases={databases!r}): expected two names, of train and of test.")
    found: list[Leak] = []
    if test is not None:
        found += _same_records(train, test)
        found += _shared("same patient", _values(train, "patient"), _values(test, "patient"))
        found += _shared("same tape", _tapes(train, databases[0]), _tapes(test, databases[1]))
    prints: list[SignalPrints] = []
    n_common = 0
    if signals:
        sides = [train] if test is None else [train, test]
        prints = [print_records(side, leads=leads, on_error=on_error, options=options) for side in sides]
        own, n_common = _signals(prints, min_correlation=min_correlation, min_overlap_s=min_overlap_s)
        twice = {(leak.train, leak.test) for leak in found if leak.kind == "same record"}
        found += [leak for leak in own if (leak.train, leak.test) not in twice]
    tapes = _tapes(train, databases[0]), _tapes(train if test is None else test, databases[1 if test else 0])
    judged = [replace(leak, exempt=_exemption(leak, exempt, *tapes)) for leak in found]
    return Audit(
        leaks=tuple(leak for leak in judged if not leak.exempt),
        exempted=tuple(leak for leak in judged if leak.exempt),
        n_train=len(train),
        n_test=0 if test is None else len(test),
        silent=tuple(name for side in prints for name in side.silent),
        skipped=tuple(own for side in prints for own in side.skipped),
        n_common=n_common,
    )


def audit_parts(
    whole: RecordIndex,
    parts: Mapping[str, RecordIndex],
    *,
    exempt: Collection[str | tuple[str, str]],
    options: Mapping[str, Any],
) -> Audit:
    """Return the leaks between the parts of one data set, whose records are read once.

    Args:
        whole: The records of all parts.
        parts: The parts by name; each leak names the two that it is between.
        exempt: As for ``audit``.
        options: Those of ``load``.
    """
    part_of = {name: part for part, own in parts.items() for name in own.ids}
    within = audit(whole, **options)
    found = [leak for leak in within.leaks if part_of[leak.train] != part_of[leak.test]]
    names = list(parts)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            one, other = parts[first], parts[second]
            found += _shared("same patient", _values(one, "patient"), _values(other, "patient"))
            found += _shared("same tape", _tapes(one, None), _tapes(other, None))
    tapes = _values(whole, "tape")
    judged = []
    for leak in found:
        between = f"{part_of[leak.train]} | {part_of[leak.test]}"
        judged.append(replace(leak, exempt=_exemption(leak, exempt, tapes, tapes), between=between))
    return replace(
        within,
        leaks=tuple(leak for leak in judged if not leak.exempt),
        exempted=tuple(leak for leak in judged if leak.exempt),
    )


def _same_records(train: RecordIndex, test: RecordIndex) -> list[Leak]:
    where = dict(zip(train.ids, train.locations, strict=True))
    pairs = zip(test.ids, test.locations, strict=True)
    return [Leak("same record", name, name) for name, place in pairs if where.get(name) == place]


def _values(dataset: RecordIndex, column: str) -> dict[str, Any]:
    if column not in dataset.table:
        return {}
    return {
        name: v for name, v in zip(dataset.ids, dataset.table.column(column, dataset.ids), strict=True) if v is not None
    }


def _tapes(dataset: RecordIndex, database: str | None) -> dict[str, Any]:
    if database is None:
        return _values(dataset, "tape")
    found = {name: tape_of(database, name) for name in dataset.ids}
    return {name: tape for name, tape in found.items() if tape is not None}


def _shared(kind: Kind, train: Mapping[str, Any], test: Mapping[str, Any]) -> list[Leak]:
    """Return a leak for each value that both sides have, with its first record on each and how many there are."""
    of: list[dict[Any, list[str]]] = [{}, {}]
    for side, values in zip(of, (train, test), strict=True):
        for name, value in values.items():
            # A column of numbers with a gap is one of floats, and another table may have them as text.
            side.setdefault(str(plain(value)), []).append(name)
    leaks = []
    for value, names in of[0].items():
        others = of[1].get(value)
        if others:
            counts = f" ({len(names)} and {len(others)} records)" if len(names) + len(others) > 2 else ""
            leaks.append(Leak(kind, names[0], others[0], f"{value}{counts}"))
    return leaks


def _signals(prints: Sequence[SignalPrints], *, min_correlation: float, min_overlap_s: float) -> tuple[list[Leak], int]:
    one, other = prints[0], prints[-1]
    second = None if len(prints) == 1 else other
    equal = same_samples(one, second)
    found, n_common = matches(one, second, min_correlation=min_correlation, min_overlap_s=min_overlap_s)
    leaks = [Leak("same samples", one.ids[a], other.ids[b]) for a, b in sorted(equal)]
    leaks += [_leak(own, one.ids[own.first], other.ids[own.second]) for own in found if own[:2] not in equal]
    return leaks, n_common


def _leak(match: Match, first: str, second: str) -> Leak:
    whole = abs(match.lag_s) < _SAME_START_S and match.longer_s - match.overlap_s < SAME_LENGTH_S
    return Leak(
        "same signal" if whole else "overlap",
        first,
        second,
        correlation=round(match.correlation, 4),
        overlap_s=round(match.overlap_s, 2),
        lag_s=round(match.lag_s, 2),
    )


def _exemption(
    leak: Leak, exempt: Iterable[str | tuple[str, str]], tapes: Mapping[str, Any], of_test: Mapping[str, Any]
) -> str:
    """Return the name of the exemption that covers ``leak``; an empty text where there is none."""
    for one in exempt:
        if isinstance(one, (int, float, np.number)):
            one = str(plain(one))  # noqa: PLW2901 -- a patient's number
        if not isinstance(one, str):
            if {leak.train, leak.test} == {str(name) for name in one}:
                return " and ".join(map(str, one))
            continue
        covered = EXEMPTIONS.get(one, frozenset({one}))
        own = {_COUNTS.sub("", leak.what)} if leak.what else {tapes.get(leak.train), of_test.get(leak.test)}
        if own <= covered:
            return one
    return ""
