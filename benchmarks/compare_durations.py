"""States of a heart beat by the hidden Markov model, with and without durations of their own.

A quarter of LUDB's train part fits the model, another eighth is scored, each third lead of either: nothing of the test
part is read. States become P, QRS, T or none at each sample, and boundaries are compared within 150 ms.

    python benchmarks/compare_durations.py --sets DIR --splits DIR
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from recipes.waves import data
from recipes.waves.markov import states

from cardioflow.analysis.beat_states import N_STATES, WAVES, allowed_states, first_model
from cardioflow.analysis.semi_markov import SemiMarkov, gamma_durations
from cardioflow.analysis.waves.markov import observations
from cardioflow.analysis.waves.prepare import FS

KINDS = {1: "P", 2: "QRS", 3: "T"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    given = parser.parse_args()
    names = sorted(data.split_of(given.splits / "ludb.csv", "train"), key=int)
    fitted_to, scored = (
        [lead for lead in data.ludb(given.sets / "ludb", own) if (lead.y != data.UNKNOWN).any()][::3]
        for own in (names[::4], names[2::8])
    )
    seen, known = [observations(lead.x) for lead in fitted_to], [states(lead.y) for lead in fitted_to]
    model = first_model(seen, known).fit(seen, n_iter=6, allowed=[allowed_states(own, FS) for own in known]).model
    stay = np.diag(model.transitions)
    models = {
        "without": model,
        "of the marks": SemiMarkov(model, gamma_durations(known, N_STATES, stay=stay)),
        "of decoded states": SemiMarkov(model, gamma_durations(model.decode(seen), N_STATES, stay=stay)),
    }
    x = [observations(lead.x) for lead in scored]
    for own in models.values():
        own.decode(x[:1])
    print("| durations | CPU s per lead-hour | samples right % | P invented | boundary | Se % | bias ms | SD ms |")
    print("|---" * 8 + "|")
    for name, own in models.items():
        start = time.process_time()
        found = own.decode(x)
        seconds = (time.process_time() - start) * 3600 * FS / sum(map(len, x))
        print_rows(f"| {name} | {seconds:.2f} ", found, [lead.y for lead in scored])


def print_rows(begin: str, found: list[Any], marks: list[Any]) -> None:
    kind = np.zeros(N_STATES, np.int64)
    for k, name in KINDS.items():
        kind[list(WAVES[name])] = k
    classes = [kind[own] for own in found]
    right = [np.mean(a[y != data.UNKNOWN] == y[y != data.UNKNOWN]) for a, y in zip(classes, marks, strict=True)]
    without = [(a, y) for a, y in zip(classes, marks, strict=True) if not (y == 1).any()]
    beats = sum(int(_edges(y, 2)[0].size) for _, y in without)
    invented = sum(int(np.sum(y[_edges(a, 1)[0]] != data.UNKNOWN)) for a, y in without)
    begin += f"| {100 * np.mean(right):.1f} | {invented} of {beats} beats "
    for k, name in KINDS.items():
        for end, which in enumerate(("on", "end")):
            away, n = [], 0
            for a, y in zip(classes, marks, strict=True):
                own, ref = _edges(a, k)[end], _edges(y, k)[end]
                # A wave at the edge of what is marked may go on outside.
                ref = ref[(y[ref - 1] != data.UNKNOWN) & (y[ref] != data.UNKNOWN)]
                n += ref.size
                nearest = [own[np.argmin(np.abs(own - at))] - at for at in ref] if own.size else []
                away += [d / FS * 1000 for d in nearest if abs(d) <= 0.15 * FS]
            share = 100 * len(away) / n
            print(f"{begin}| {name} {which} | {share:.1f} | {np.mean(away):.1f} | {np.std(away):.1f} |")
            begin = "| | | | "


def _edges(y: Any, k: int) -> tuple[Any, Any]:
    """Return where stretches of ``k`` begin, and the samples after they end."""
    inside = np.concatenate([[False], y == k, [False]])
    begins = np.flatnonzero(inside[1:] & ~inside[:-1])
    ends = np.flatnonzero(~inside[1:] & inside[:-1])
    whole = (begins > 0) & (ends < y.size)
    return begins[whole], ends[whole]


if __name__ == "__main__":
    main()
