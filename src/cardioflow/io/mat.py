"""MAT: MATLAB's own files, as research groups exchange ECGs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.leads import GROUPS
from cardioflow.errors import FormatError
from cardioflow.io._arrays import as_leads
from cardioflow.io._matlab import Value, looks_like_level_4, read_variables
from cardioflow.io._person import sex_letter, years
from cardioflow.io._record import Waveform, make_record
from cardioflow.io._source import naming, read_whole
from cardioflow.io._units import in_millivolts
from cardioflow.io.base import Format, ReadRequest, Record

__all__ = ["Mat"]

_SIGNALS: Final = ("signal", "signals", "ecg", "val", "data", "sig")
_TIMES: Final = ("tm", "t", "time", "times")
_RATES: Final = ("fs", "sampling_rate", "sampling_frequency", "srate", "samplerate", "sr", "freq")
_NAMES: Final = ("leads", "lead_names", "signame", "labels", "channels")
_AGES: Final = ("age",)
_SEXES: Final = ("sex", "gender")
_FEWEST_POSITIONS: Final = 4
_MOST_LISTED: Final = 20
_CPSC_2018: Final = frozenset({"sex", "age", "data"})

Leaf = NDArray[Any] | tuple[str, ...]
Told = TypeVar("Told")


@final
class Mat(Format):
    """MATLAB files of level 4 and 5 to 7: a matrix of samples and a number for the rate, alone or in a structure.

    The signal is the matrix ``signal``, ``ecg``, ``val``, ``data`` or ``sig`` (in any
    letters), or else the only real matrix with more than one number; its shorter
    axis is the leads. Fields of structures count as variables, ``ECG.data``, up to
    three deep. Where several could be the signal, ``load(fmt="mat",
    variable="ECG.data")`` chooses. The rate is ``fs`` or one of its common names;
    names of the leads are rows of text or a cell of texts called ``leads``; ``age``,
    and ``sex`` as a text, go into the metadata. What stands beside the signal goes
    before what stands elsewhere in the file. Numbers are taken for millivolts, but
    for steps of a converter where all of them are whole: the unit is then ``"adu"``,
    and ``meta["uncalibrated"]`` is true. ``unit="uV"`` names the unit, ``per_unit=1000``
    says how many make one of it (a millivolt, if no ``unit`` is named), and ``fs=500``
    and ``leads=("I", "II")`` what is not in the file.

    The files of the China Physiological Signal Challenge 2018 are a structure
    ``ECG`` of ``sex``, ``age`` and ``data``, without a rate:
    ``load(fmt="mat", fs=500)``. A structure of these fields with 12 leads has the
    standard ones in their usual order.

    Not read: arrays of several structures, objects, and version 7.3, which is
    HDF5. The ``.mat`` files of PhysioNet's challenges are WFDB signal files: read
    the record with ``wfdb``.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".mat",)

    def __init__(
        self,
        fs: float | None = None,
        unit: str | None = None,
        per_unit: float = 1.0,
        variable: str | None = None,
        leads: str | Sequence[str] | None = None,
    ) -> None:
        self.fs = fs
        self.unit = unit
        self.per_unit = per_unit
        self.variable = variable
        self.leads = (leads,) if isinstance(leads, str) else leads

    @classmethod
    def recognises(cls, head: bytes) -> bool:
        return (head[:6] == b"MATLAB" and head[126:128] in {b"IM", b"MI"}) or looks_like_level_4(head)

    def read(self, path: Path, request: ReadRequest) -> Record:
        with naming(path):
            content = _Content(dict(_leaves(read_variables(read_whole(path)))), self.variable)
            signal = as_leads(
                content.matrix, f"variable {content.place!r}", None if self.leads is None else len(self.leads)
            )
            fs = self.fs if self.fs is not None else content.rate(path)
            names = content.lead_names(len(signal)) if self.leads is None else tuple(self.leads)
            if len(names) != len(signal):
                raise FormatError(f"holds {len(signal)} leads in {content.place!r}, and leads=… names {len(names)}.")
            unit = self._unit(signal)
            if self.per_unit != 1.0:
                signal = signal / self.per_unit
            signal, units = in_millivolts(signal, (unit,) * len(signal))
            scaled = np.ascontiguousarray(signal, np.float32)
            meta = {
                "age": content.near(_AGES, _age),
                "sex": content.near(_SEXES, _sex),
                "timestamp": None,
                "comments": (),
                "device": None,
                "variable": content.place,
                "fs_source": "header" if self.fs is None else "given",
            }
            return make_record(Waveform(scaled, fs, names, units), request, meta, meta_per_lead=True)

    def _unit(self, signal: NDArray[Any]) -> str:
        # By value, because MATLAB stores doubles that are whole as integers.
        if self.unit is not None or self.per_unit != 1.0:
            return self.unit or "mV"
        whole = signal.dtype.kind in "iub" or bool((np.isnan(signal) | (signal == np.rint(signal))).all())
        return "adu" if whole else "mV"


def _leaves(variables: Mapping[str, Value], place: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield all numbers and texts, with the names of the structures that they are in: ``ECG.data``."""
    for name, value in variables.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value


def _split(place: str) -> tuple[str, str]:
    """Return the structure that a field is in, and the field's name in small letters."""
    structure, _, name = place.rpartition(".")
    return structure, name.lower()


class _Content:
    """What a file holds, seen from its signal."""

    def __init__(self, leaves: dict[str, Leaf], variable: str | None) -> None:
        self.leaves = leaves
        matrices = {p: v for p, v in leaves.items() if isinstance(v, np.ndarray) and v.size > 1}
        listed = _listed(f"{p} {v.shape}" for p, v in matrices.items()) or f"no matrix, but [{_listed(sorted(leaves))}]"
        if variable is not None:
            rising, chosen = [], [variable] if variable in matrices else []
        else:
            named = [p for p in matrices if _split(p)[1] in _SIGNALS]
            others = {p: v for p, v in matrices.items() if _split(p)[1] not in _TIMES}
            rising = [p for p, v in others.items() if _are_positions(v)]
            chosen = named or [p for p in others if p not in rising]
        if not chosen:
            if rising:
                raise FormatError(
                    f"holds no signal: the numbers of {', '.join(rising)} are whole and only rise, as positions of "
                    f"peaks do. If they are one, load(fmt='mat', variable={rising[0]!r})."
                )
            what = "one named 'signal'" if variable is None else f"a matrix named {variable!r}"
            raise FormatError(f"holds {listed}; expected {what}.")
        if len(chosen) > 1:
            raise FormatError(
                f"holds {listed}, and it is not clear which of them is the signal. "
                f"Choose one: load(fmt='mat', variable={chosen[0]!r})."
            )
        self.place = chosen[0]
        self.matrix = matrices[self.place]

    def near(self, names: Sequence[str], meant: Callable[[Leaf], Told | None]) -> Told | None:
        """Return what the field of one of these names means: the one nearest to the signal, or the only one."""
        scope = _split(self.place)[0]
        while True:
            for name in names:
                for place, value in self.leaves.items():
                    if _split(place) == (scope, name) and (found := meant(value)) is not None:
                        return found
            if not scope:
                break
            scope = scope.rpartition(".")[0]
        elsewhere = [meant(value) for place, value in self.leaves.items() if _split(place)[1] in names]
        known = [found for found in elsewhere if found is not None]
        return known[0] if known and all(found == known[0] for found in known) else None

    def rate(self, path: Path) -> float:
        found = self.near(_RATES, _number)
        if found is not None:
            return found
        hint = " Pass it: load(fmt='mat', fs=500)."
        if self._is_cpsc_2018():
            hint = " The China Physiological Signal Challenge 2018 has 500 Hz: load(fmt='mat', fs=500)."
        beside = path.with_suffix(".hea")
        if beside.exists():
            hint = f" Read it as WFDB: {beside.name} lies beside it."
        raise FormatError(
            f"holds no sampling rate; expected a number named 'fs' among [{_listed(sorted(self.leaves))}].{hint}"
        )

    def lead_names(self, n: int) -> tuple[str, ...]:
        found = self.near(_NAMES, lambda value: value if isinstance(value, tuple) and len(value) == n else None)
        if found is None and n == len(GROUPS["standard"]) and self._is_cpsc_2018():
            return GROUPS["standard"]
        return found or tuple(f"signal {i}" for i in range(n))

    def _is_cpsc_2018(self) -> bool:
        structure, name = _split(self.place)
        fields = {_split(place)[1] for place in self.leaves if _split(place)[0] == structure}
        # An age that is not known may be empty, and an empty field has no value.
        return bool(structure) and name == "data" and {"data"} < fields <= _CPSC_2018


def _are_positions(values: NDArray[Any]) -> bool:
    """Return whether ``values`` are positions of peaks, as CPSC 2019 has them beside its signals, not samples."""
    row = values.reshape(-1)
    if row.size != max(values.shape) or row.size < _FEWEST_POSITIONS or row.dtype.kind not in "iuf":
        return False
    return bool((row[1:] > row[:-1]).all()) and bool((row == np.rint(row)).all())


def _listed(names: Iterable[str]) -> str:
    """Return the first of the names, in one text."""
    every = list(names)
    return ", ".join(every[:_MOST_LISTED]) + (", …" if len(every) > _MOST_LISTED else "")


def _number(value: Leaf) -> float | None:
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "fiu":
        return float(value.reshape(-1)[0])
    return None


def _age(value: Leaf) -> int | float | None:
    if isinstance(value, np.ndarray):
        return years(_number(value))
    try:
        return years(float(value[0])) if len(value) == 1 else None
    except ValueError:
        return None


def _sex(value: Leaf) -> str | None:
    return sex_letter(value[0]) if isinstance(value, tuple) and len(value) == 1 else None
