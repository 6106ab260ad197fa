"""Our hidden Markov model against hmmlearn: equal values, and the time of both in one run.

    python benchmarks/bench_hmm.py [--sequences 100] [--samples 9000] [--threads 2]

The model has the 19 states of CardIO's heart beat with three features and full covariances, on its ring of
transitions, and once with all 361. Ours is the smallest time of three: CPU seconds of one thread, and seconds on the
clock with several. hmmlearn runs in its default, logarithms, and in its scaled form.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from hmmlearn.hmm import GaussianHMM

from cardioflow.analysis.beat_states import N_STATES, ring
from cardioflow.analysis.gaussian_hmm import GaussianHmm

N_FEATURES = 3


def model(transitions: np.ndarray) -> GaussianHmm:
    rng = np.random.default_rng(0)
    roots = rng.normal(scale=0.5, size=(N_STATES, N_FEATURES, N_FEATURES))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(N_FEATURES)
    start = np.full(N_STATES, 1 / N_STATES)
    return GaussianHmm(start, transitions, rng.normal(scale=2, size=(N_STATES, N_FEATURES)), covariances)


def drawn(own: GaussianHmm, n: int, seed: int) -> np.ndarray:
    """Return observations that the model emits."""
    rng = np.random.default_rng(seed)
    lower, cumulated = np.linalg.cholesky(own.covariances), own.transitions.cumsum(axis=1)
    chance, noise, state = rng.random(n), rng.normal(size=(n, N_FEATURES)), int(rng.integers(N_STATES))
    x = np.empty((n, N_FEATURES))
    for t in range(n):
        x[t] = own.means[state] + lower[state] @ noise[t]
        state = min(int(np.searchsorted(cumulated[state], chance[t])), N_STATES - 1)
    return x


def theirs(own: GaussianHmm, implementation: str, n_iter: int) -> GaussianHMM:
    """Return hmmlearn's model with the same parameters, without its priors and with as many updates."""
    made = GaussianHMM(
        N_STATES, "full", params="stmc", init_params="", n_iter=n_iter, tol=-np.inf, implementation=implementation,
        covars_prior=0, means_prior=0, min_covar=0,
    )  # fmt: skip
    made.startprob_, made.transmat_ = np.array(own.start), np.array(own.transitions)
    made.means_, made.covars_ = np.array(own.means), np.array(own.covariances)
    return made


def best(work: Callable[[], Any], clock: Callable[[], float], n: int) -> float:
    times = []
    for _ in range(n):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times)


def compare(transitions: np.ndarray, options: argparse.Namespace) -> None:
    own = model(transitions)
    sequences = [drawn(own, options.samples, seed) for seed in range(options.sequences)]
    x, lengths = np.concatenate(sequences), [options.samples] * options.sequences
    start = GaussianHmm(own.start, own.transitions, own.means + 0.1, own.covariances)
    ours = {
        "forward-backward": lambda threads=1: start.posteriors(sequences, threads=threads),
        "Viterbi": lambda threads=1: start.decode(sequences, threads=threads),
        "EM, an update": lambda threads=1: start.fit(sequences, n_iter=1, min_variance=0, threads=threads),
    }
    for work in ours.values():
        work()
    fit = start.fit(sequences, n_iter=1, min_variance=0).model
    for implementation in ("log", "scaling"):
        peer = theirs(start, implementation, 1)
        other = {
            "forward-backward": lambda p=peer: p.predict_proba(x, lengths),
            "Viterbi": lambda p=peer: p.predict(x, lengths),
            "EM, an update": lambda i=implementation: theirs(start, i, 1).fit(x, lengths),
        }
        posteriors = np.abs(np.concatenate(start.posteriors(sequences)) - other["forward-backward"]()).max()
        states = (np.concatenate(start.decode(sequences)) == other["Viterbi"]()).mean()
        fitted = other["EM, an update"]()
        pairs = (
            (fit.start, fitted.startprob_), (fit.transitions, fitted.transmat_), (fit.means, fitted.means_),
            (fit.covariances, fitted.covars_),
        )  # fmt: skip
        apart = max(np.abs(a - b).max() for a, b in pairs)
        values = dict(zip(ours, (f"{posteriors:.1e}", f"{100 * states:.4f} % equal", f"{apart:.1e}"), strict=True))
        for name, work in ours.items():
            cpu, peer_cpu = best(work, time.process_time, 3), best(other[name], time.process_time, 1)
            clock = best(lambda w=work: w(options.threads), time.perf_counter, 3)
            peer_clock = best(other[name], time.perf_counter, 1)
            kind = "ring" if (transitions == 0).any() else "full"
            print(
                f"| {kind} | {name} | {implementation} | {values[name]} | {cpu:.3f} | {peer_cpu:.2f} | "
                f"{peer_cpu / cpu:.1f} | {clock:.3f} | {peer_clock:.2f} | {peer_clock / clock:.1f} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=100)
    parser.add_argument("--samples", type=int, default=9000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(
        f"| transitions | what | hmmlearn | largest difference | ours, CPU s | hmmlearn, CPU s | times as fast | "
        f"ours, {options.threads} threads, s | hmmlearn, s | times as fast |\n|{'---|' * 10}"
    )
    compare(ring()[1], options)
    compare(np.random.default_rng(1).dirichlet(np.ones(N_STATES), N_STATES), options)


if __name__ == "__main__":
    main()
