"""Fit the hidden Markov model for waves: ``python -m recipes.waves.markov --sets DIR --splits DIR --out FILE``.

EM keeps to the marks and sees all leads of the train parts of LUDB and QTDB at once.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioflow.analysis.beat_states import allowed_states, first_model, states_of
from cardioflow.analysis.waves.markov import observations
from cardioflow.analysis.waves.prepare import FS
from recipes.waves import data

_SYMBOL = {number: symbol for symbol, number in data.CLASSES.items()}


def states(y: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the state of each sample from the classes of ``data``."""
    edges = np.flatnonzero(np.diff(y.astype(np.int64))) + 1
    starts, stops = np.concatenate([[0], edges]), np.concatenate([edges, [y.size]])
    sample, symbol = [], []
    for start, stop in zip(starts, stops, strict=True):
        kind = int(y[start])
        if kind in _SYMBOL and start > 0 and stop < y.size:
            sample += [start, (start + stop) // 2, stop - 1]
            symbol += ["(", _SYMBOL[kind], ")"]
    found = states_of(np.array(sample, np.int64), symbol, y.size, FS)
    # What lies between two waves is not known where the data say so.
    found[y == data.UNKNOWN] = -1
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--updates", type=int, default=6)
    options = parser.parse_args()
    names = sorted(data.split_of(options.splits / "ludb.csv", "train"), key=int)
    leads = list(data.ludb(options.sets / "ludb", names))
    leads += data.qtdb(options.sets / "qtdb", sorted(data.split_of(options.splits / "qtdb.csv", "train", "origin")))
    leads = [lead for lead in leads if (lead.y != data.UNKNOWN).any()]
    seen: list[Any] = [observations(lead.x) for lead in leads]
    known = [states(lead.y) for lead in leads]
    first = first_model(seen, known)
    kept = [allowed_states(own, FS) for own in known]
    fit = first.fit(seen, n_iter=options.updates, allowed=kept)
    print(f"{len(leads)} leads, log-likelihoods {fit.log_likelihoods}")
    own = fit.model
    np.savez(options.out, start=own.start, transitions=own.transitions, means=own.means, covariances=own.covariances)


if __name__ == "__main__":
    main()
