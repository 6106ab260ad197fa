"""The fingerprints of the records of a data set, read a few at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import Skipped
from cardioflow.dsp.fingerprint import Prints, fingerprints
from cardioflow.pipeline import error_policy
from cardioflow.pipeline.data.read_records import ReadRecords
from cardioflow.pipeline.data.record_index import RecordIndex

__all__ = ["SignalPrints", "print_records"]

_AT_ONCE = 8
_STANDARD = ("I", "II", "V2")
"""The leads of a record of many that are compared: the frontal plane, and one of the chest."""


@final
@dataclass(frozen=True)
class SignalPrints:
    """Fingerprints of leads, each with the record that it is of."""

    ids: tuple[str, ...]
    record: NDArray[np.int64]
    """The record of each lead, as a position in ``ids``."""
    name: tuple[str, ...]
    """The name of each lead."""
    digest: tuple[bytes, ...]
    """A hash of the samples of each lead."""
    prints: Prints
    flat: tuple[tuple[int, bytes], ...]
    """Records without a lead that varies, with a hash of all their samples."""
    skipped: tuple[Skipped, ...]
    """Records that could not be read."""

    @property
    def silent(self) -> tuple[str, ...]:
        """Records that are too short or too flat to be compared with others; only equal samples are found in them."""
        heard = {int(record) for record, n in zip(self.record, self.prints.counts, strict=True) if n}
        lost = {own.record for own in self.skipped}
        return tuple(name for i, name in enumerate(self.ids) if i not in heard and name not in lost)


def print_records(
    dataset: RecordIndex,
    *,
    leads: Sequence[str] | Literal["all"] | None,
    on_error: Literal["raise", "skip"],
    options: Mapping[str, Any],
) -> SignalPrints:
    """Return the fingerprints of the records of ``dataset``.

    Args:
        dataset: The records.
        leads: Those to compare; ``None`` takes all of a record of up to three, and I, II and V2 of others.
        on_error: Whether a record that cannot be read is an error, or is left out.
        options: Those of ``load``.
    """
    given = dict(options)
    read = ReadRecords(None, given.pop("fmt", None), ("signal",), given)
    record: list[int] = []
    names: list[str] = []
    digests: list[bytes] = []
    flat: list[tuple[int, bytes]] = []
    found: list[Prints] = []
    skipped: list[Skipped] = []
    row = {name: i for i, name in enumerate(dataset.ids)}
    for start in range(0, len(dataset), _AT_ONCE):
        batch = dataset.batch(range(start, min(start + _AT_ONCE, len(dataset))))
        done = error_policy.apply(read, batch, step="audit", on_error=on_error, probes=True)
        skipped += done.skipped
        if not len(done):
            continue
        signal, meta = done.signal_and_meta
        waves: list[NDArray[np.float32]] = []
        rates: list[float] = []
        for i, name in enumerate(done.ids):
            n_before = len(waves)
            every = tuple(meta[i]["leads"])
            for lead in _chosen(every, leads):
                wave, heard = _heard(signal[i][lead])
                if wave.size and np.ptp(heard) > 0:
                    waves.append(heard)
                    rates.append(float(meta[i]["fs"]))
                    record.append(row[name])
                    names.append(every[lead])
                    digests.append(_digest(wave))
            if len(waves) == n_before:
                flat.append((row[name], _digest(np.asarray(signal[i], np.float32))))
        if waves:
            found.append(_printed(waves, rates))
    return SignalPrints(
        dataset.ids,
        np.array(record, np.int64),
        tuple(names),
        tuple(digests),
        _joined(found),
        tuple(flat),
        tuple(skipped),
    )


def _heard(lead: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the samples of a lead, and the same with zeros where they are not finite."""
    wave = np.ascontiguousarray(lead, np.float32)
    return wave, np.nan_to_num(wave, nan=0.0, posinf=0.0, neginf=0.0)


def _printed(waves: Sequence[NDArray[np.float32]], rates: Sequence[float]) -> Prints:
    lengths = np.array([wave.size for wave in waves], np.int64)
    return fingerprints(np.concatenate(waves), np.cumsum(lengths) - lengths, lengths, np.array(rates))


def _chosen(names: Sequence[str], leads: Sequence[str] | Literal["all"] | None) -> list[int]:
    if leads == "all" or (leads is None and len(names) <= len(_STANDARD)):
        return list(range(len(names)))
    wanted = _STANDARD if leads is None else (leads,) if isinstance(leads, str) else tuple(leads)
    own = [i for i, name in enumerate(names) if name in wanted]
    return own or list(range(min(len(names), len(_STANDARD))))


def _digest(wave: NDArray[np.float32]) -> bytes:
    # Zero and minus zero are the same sample.
    return hashlib.blake2b((wave + np.float32(0)).tobytes() + bytes(str(wave.shape), "ascii"), digest_size=16).digest()


def _joined(found: Sequence[Prints]) -> Prints:
    if not found:
        none = np.empty(0, np.int64)
        return Prints(np.empty(0, np.int8), none, np.empty(0, np.uint64), np.empty(0, np.float32), none)
    return Prints(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
