"""Spikes of a pacemaker in the records of a batch, and what they mean for an answer."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

from cardioflow.analysis.ecg_evidence import ecg_evidence
from cardioflow.analysis.pacing import LEAST_FS, pacing_spikes
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.leads import is_ecg_name
from cardioflow.bundle.reasons import Reason
from cardioflow.models._units import units_of

__all__ = ["PACED", "is_paced", "spike_counts", "spike_notes"]

PACED: Final = Reason("paced", "Spikes of a pacemaker were found, and paced rhythms are not judged.")

_FEW: Final = 3
"""Fewer sharp deflections in a record are not taken for pacing: an artefact can be one."""
_PER_MINUTE: Final = 1
"""Fewer in a long recording are noted and it is judged: they are artefacts, or a few paced beats among many others."""
_BLOCK_S: Final = 600
"""Spikes are looked for in parts of this length, so that a day at 1 kHz does not need its memory ten times."""
_SOME_EVIDENCE: Final = 0.3
"""Of heart beats: noise has deflections like spikes too."""


def spike_counts(batch: EcgBatch, unit: str | None) -> dict[str, int]:
    """Return for each record of ``batch``, by id, how many spikes are seen; none at rates that do not show them.

    All ECG leads count, not only those that a bundle takes: a spike can be too small in one lead. Of six records of
    PTB-XL with the statement PACE, spikes show in lead I of two, and in three of the twelve leads of all.

    Args:
        batch: Records that were read, with all their channels.
        unit: The unit of the channels that count; ``None`` for all.
    """
    names = batch.component("meta")["leads"].tolist()
    rows = zip(batch.ids, batch.component("signal"), batch.fs.tolist(), names, units_of(batch), strict=True)
    return {record: _count(x, fs, own or (), units, unit) for record, x, fs, own, units in rows}


def is_paced(n_spikes: int, seconds: float) -> bool:
    """Return whether a record of ``seconds`` with so many spikes is taken for one of a paced rhythm."""
    return n_spikes >= max(_FEW, _PER_MINUTE * seconds / 60)


def spike_notes(n_spikes: int, x: NDArray[Any], fs: float) -> tuple[Reason, ...]:
    """Return a note on the spikes of a record that is judged; nothing where they are few, or it may be noise."""
    if n_spikes < _FEW or ecg_evidence(x, fs).max(initial=0.0) < _SOME_EVIDENCE:
        return ()
    text = f"{n_spikes} spikes of a pacemaker were found; the scores of this bundle do not hold for paced rhythms."
    return (Reason("paced", text),)


def _count(x: NDArray[Any], fs: float, names: Any, units: Any, unit: str | None) -> int:
    if fs < LEAST_FS:
        return 0
    in_unit = [k for k in range(len(x)) if unit is None or (units is not None and units[k] == unit)]
    chosen = [k for k in in_unit if k < len(names) and is_ecg_name(names[k])] or in_unit
    step = round(_BLOCK_S * fs)
    return sum(len(pacing_spikes(x[chosen, k : k + step], fs)) for k in range(0, x.shape[-1], step) if chosen)
