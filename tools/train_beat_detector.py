"""Train the two networks of the beat detector, and write ``src/cardioflow/analysis/beats/_weights.npz``.

    python tools/train_beat_detector.py --sets DIR --splits DIR [--folds 5]

``DIR`` of ``--sets`` holds ``mitdb``, ``nstdb``, ``nstdb-noise`` and ``ludb``. Only these are read: the DS1
records of MITDB, as they are and with noise; the first 15 minutes of NSTDB's records and of its three noises; LUDB's
training part. ``--folds`` leaves out records of DS1 in turn, prints what a detector
that has not seen them finds, and writes nothing.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.signal
import torch
import wfdb
from numpy.typing import NDArray

from cardioflow.analysis.beats import _evidence, _scoring
from cardioflow.analysis.beats._candidates import Column
from cardioflow.analysis.beats._design import design
from cardioflow.analysis.beats._lead import Lead

BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
UNITS = 32
Floats = NDArray[np.float32]


class Example(NamedTuple):
    """One lead with its beats."""

    group: str
    """The patient; what is left out together."""
    x: Floats
    fs: float
    beats: NDArray[np.int64]
    unknown: tuple[tuple[int, int], ...]
    """Stretches, in samples, in which nobody said where beats are."""
    weight: float
    recording: str


class Candidates(NamedTuple):
    """The candidates of an example, labelled."""

    example: Example
    lead: Lead
    true: NDArray[np.float32]
    weight: NDArray[np.float32]


def read_wfdb(path: Path, stop_s: float | None = None) -> tuple[Floats, float, NDArray[np.int64], Any]:
    record = wfdb.rdrecord(str(path), sampto=None if stop_s is None else round(stop_s * 360))
    marks = wfdb.rdann(str(path), "atr")
    signal = record.p_signal.T.astype(np.float32)
    symbols = np.array(marks.symbol)
    inside = marks.sample < signal.shape[1]
    unknown = []
    begin = None
    for sample, symbol in zip(marks.sample, symbols, strict=True):
        if symbol == "[":
            begin = sample
        elif symbol == "]" and begin is not None:
            unknown.append((int(begin) - 300, int(sample) + 300))
            begin = None
    beats = marks.sample[np.isin(symbols, list(BEATS)) & inside].astype(np.int64)
    return signal, float(record.fs), beats, tuple(unknown)


def add_noise(x: Floats, fs: float, beats: NDArray[np.int64], noise: Floats, random: np.random.Generator) -> Floats:
    """Return ``x`` with noise in two of every three minutes, at signal-to-noise ratios as NSTDB defines them."""
    half = round(0.05 * fs)
    heights = [np.ptp(x[max(b - half, 0) : b + half]) for b in beats[:: max(len(beats) // 300, 1)]]
    power = np.mean(np.sort(heights)[len(heights) // 20 : -(len(heights) // 20) or None]) ** 2 / 8
    out = x.copy()
    minute = round(60 * fs)
    for begin in range(minute, x.size, 3 * minute):
        n = min(2 * minute, x.size - begin)
        start = random.integers(0, noise.size - n)
        piece = noise[start : start + n] - np.mean(noise[start : start + n])
        slow = scipy.signal.decimate(piece, 36, ftype="fir")
        seconds = [np.ptp(piece[k : k + 360]) for k in range(0, n - 360, 360)]
        own = max(float(np.median(seconds)) ** 2 / 8, 1e-9) if len(slow) else 1.0
        snr = random.choice([18, 12, 6, 3, 0, -3])
        out[begin : begin + n] += np.float32(np.sqrt(power / (own * 10 ** (snr / 10)))) * piece
    return out


def examples(sets: Path, splits: Path) -> Iterator[Example]:
    random = np.random.default_rng(0)
    noises = {}
    for name in ("bw", "em", "ma"):
        record = wfdb.rdrecord(str(sets / "nstdb-noise" / name))
        noises[name] = record.p_signal[: record.sig_len // 2].T.astype(np.float32)
        for channel in noises[name]:
            yield Example(f"noise {name}", channel, 360.0, np.empty(0, np.int64), (), 0.5, f"nstdb-noise/{name}")
    with (splits / "mitdb.csv").open() as file:
        ds1 = sorted(row["record"] for row in csv.DictReader(file) if row["part"] == "DS1")
    for number, name in enumerate(ds1):
        signal, fs, beats, unknown = read_wfdb(sets / "mitdb" / name)
        for lead, x in enumerate(signal):
            yield Example(name, x, fs, beats, unknown, 1.0, f"mitdb/{name}")
            noise = noises[("em", "ma", "em", "bw")[(number + lead) % 4]]
            noisy = add_noise(x, fs, beats, noise[random.integers(2)], random)
            yield Example(name, noisy, fs, beats, unknown, 0.5, f"mitdb/{name}")
            new, up, down = ((250.0, 25, 36), (500.0, 25, 18), (128.0, 16, 45), (1000.0, 25, 9))[(number + lead) % 4]
            again = scipy.signal.resample_poly(x, up, down).astype(np.float32)
            ratio = new / fs
            spans = tuple((int(a * ratio), int(b * ratio)) for a, b in unknown)
            own = np.rint(beats * ratio).astype(np.int64)
            yield Example(name, again, new, own, spans, 0.3, f"mitdb/{name}")
            for begin in random.integers(0, x.size - 3600, 20):
                own = beats[(beats >= begin) & (beats < begin + 3600)] - begin
                spans = tuple((a - begin, b - begin) for a, b in unknown)
                yield Example(name, x[begin : begin + 3600], fs, own, spans, 1.0, f"mitdb/{name}")
    for patient in ("118", "119"):
        for snr in ("24", "18", "12", "06", "00", "_6"):
            signal, fs, beats, unknown = read_wfdb(sets / "nstdb" / f"{patient}e{snr}", 900)
            for x in signal:
                yield Example(patient, x, fs, beats, unknown, 1.0 if snr != "_6" else 0.5, f"mitdb/{patient}")
    yield from ludb_examples(sets, splits)
    yield from simulated(random)


def simulated(random: np.random.Generator) -> Iterator[Example]:
    """Yield rates and pauses that the records lack, 25 to 240 beats per minute, and noise without any beat."""
    for number in range(120):
        fs = float(random.choice([100, 125, 250, 360, 500, 1000]))
        n = round(120 * fs)
        t = np.arange(n) / fs
        usual = 60 / random.uniform(25, 240)
        gaps = usual * (1 + random.choice([0.01, 0.05, 0.25]) * random.standard_normal(600)).clip(0.5, 3)
        gaps[random.random(600) < 0.03] += random.uniform(0.5, 3)
        times = np.cumsum(gaps)
        times = times[(times > 0.5) & (times < 119.5)]
        if number % 10 == 9:
            times = times[: random.integers(1, 4)]
        x = coloured_noise(n, fs, random) * 10 ** random.uniform(-2.5, -0.8)
        width = random.uniform(0.01, 0.03)
        waves = [(random.choice([-1, 1]) * random.uniform(0.4, 2), 0.0, width)]
        waves.append((-waves[0][0] * random.uniform(0, 0.6), 2.7 * width, width))
        waves.append((random.uniform(-0.25, 0.35) * abs(waves[0][0]), min(0.3, 0.42 * usual), min(0.05, 0.07 * usual)))
        waves.append((random.uniform(0, 0.15) * abs(waves[0][0]), -min(0.16, 0.3 * usual), 0.025))
        for at in times:
            a, b = np.searchsorted(t, [at - 0.4, at + 0.6])
            for height, shift, own in waves:
                x[a:b] += height * np.exp(-0.5 * ((t[a:b] - at - shift) / own) ** 2)
        beats = np.rint(times * fs).astype(np.int64)
        yield Example(f"simulated {number % 5}", x.astype(np.float32), fs, beats, (), 1.0, "simulated")
    for number in range(120):
        fs = float(random.choice([100, 125, 250, 360, 500, 1000]))
        n = round(random.choice([10, 60]) * fs)
        x = coloured_noise(n, fs, random) * 10 ** random.uniform(-2, 0.5)
        if number % 4 == 0:
            x += random.uniform(0.1, 1) * np.sin(2 * np.pi * random.choice([0.3, 1, 2, 5, 10, 50]) * np.arange(n) / fs)
        yield Example(f"nothing {number % 5}", x.astype(np.float32), fs, np.empty(0, np.int64), (), 1.0, "simulated")


def coloured_noise(n: int, fs: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Return noise of the variance 1 whose power falls with the frequency to the power of 0 to 2."""
    spectrum = np.fft.rfft(random.standard_normal(n))
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / fs), 0.3)
    noise = np.fft.irfft(spectrum * frequency ** -(random.choice([0, 0.5, 1])), n)
    return np.asarray(noise / noise.std())


def ludb_examples(sets: Path, splits: Path) -> Iterator[Example]:
    with (splits / "ludb.csv").open() as file:
        train = [row["record"] for row in csv.DictReader(file) if row["part"] == "train"]
    for name in train:
        path = str(next(iter((sets / "ludb").rglob(f"{name}.hea"))).with_suffix(""))
        record = wfdb.rdrecord(path)
        for lead, x in zip(record.sig_name, record.p_signal.T.astype(np.float32), strict=True):
            marks = wfdb.rdann(path, lead)
            beats = marks.sample[np.array(marks.symbol) == "N"].astype(np.int64)
            if len(beats) > 2:
                edges = ((-1, int(marks.sample[0]) - 50), (int(marks.sample[-1]) + 50, x.size + 1))
                yield Example(f"ludb {int(name) % 5}", x, float(record.fs), beats, edges, 1.0, f"ludb/{name}")


def candidates_of(example: Example) -> Candidates:
    plan = design(example.fs)
    lead = Lead(plan, 0.02)
    lead.find(example.x)
    last = lead.find_last()
    rows, width = lead.rows, round(plan.rate)
    n_bins = max(last // width, 1)
    _evidence.levels(rows.table, 0, rows.n, lead.bins, 0, n_bins, n_bins, width)
    _evidence.first_pass(rows.table, rows.shapes, rows.n, 0, rows.n, lead.bins, n_bins, plan.rate, rows.first)
    rows.times[: rows.n] = rows.table[: rows.n, Column.TIME]
    sample = rows.table[: rows.n, Column.FIDUCIAL] * plan.step + (plan.step - 1) / 2
    true = matches(sample, example.beats, 0.15 * example.fs)
    weight = np.full(rows.n, example.weight, np.float32)
    for begin, end in example.unknown:
        weight[(sample >= begin) & (sample <= end)] = 0
    return Candidates(example, lead, true.astype(np.float32), weight)


def matches(found: NDArray[np.float64], beats: NDArray[np.int64], tolerance: float) -> NDArray[np.bool_]:
    """Return which of ``found`` are the nearest to a beat, each beat having one."""
    taken = np.zeros(len(found), bool)
    if not len(found):
        return taken
    pairs = []
    for beat in beats:
        a, b = np.searchsorted(found, [beat - tolerance, beat + tolerance])
        pairs += [(abs(found[k] - beat), int(beat), k) for k in range(a, b)]
    used = set[int]()
    for _, beat, k in sorted(pairs):
        if beat not in used and not taken[k]:
            used.add(beat)
            taken[k] = True
    return taken


def fit(x: Floats, y: Floats, weight: Floats, seed: int, epochs: int) -> _scoring.Network:
    """Return a network trained on the evidence ``x`` with the labels ``y``, its scaling folded into its weights."""
    torch.manual_seed(seed)
    kept = weight > 0
    x, y, weight = x[kept], y[kept], weight[kept]
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    data = torch.from_numpy((x - mean) / scale)
    labels, weights = torch.from_numpy(y), torch.from_numpy(weight)
    model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], UNITS), torch.nn.ReLU(), torch.nn.Linear(UNITS, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-4)
    size = 4096
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=epochs * -(-len(data) // size))
    for _ in range(epochs):
        order = torch.randperm(len(data))
        total = 0.0
        for own in torch.split(order, size):
            logit = model(data[own])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, labels[own], weights[own])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(own)
    print(f"  {len(data)} candidates, {epochs} epochs, loss {total / len(data):.5f}", flush=True)
    hidden, bias, output, output_bias = (p.detach().numpy().copy() for p in model.parameters())
    folded = (hidden / scale).T.astype(np.float32)
    return _scoring.Network(
        np.ascontiguousarray(folded), (bias - mean @ folded).astype(np.float32), output[0], output_bias
    )


def train(parts: Sequence[Candidates], epochs: int) -> tuple[_scoring.Network, _scoring.Network]:
    y = np.concatenate([p.true for p in parts])
    weight = np.concatenate([p.weight for p in parts])
    first = fit(np.concatenate([p.lead.rows.first[: p.lead.rows.n] for p in parts]), y, weight, 0, epochs)
    second_evidence = np.concatenate([evidence_of_both(p, first) for p in parts])
    return first, fit(second_evidence, y, weight, 1, epochs)


def evidence_of_both(part: Candidates, first: _scoring.Network) -> Floats:
    rows, rate = part.lead.rows, design(part.example.fs).rate
    n = rows.n
    nothing = np.empty((0, 0), np.float32)
    _scoring.score(rows.first, nothing, rows.table[:, Column.IN_GAP].copy(), 0, n, *first, rows.scores, rows.certainty)
    _evidence.keep_largest(rows.times, rows.scores, n, 0, n, 0.2 * rate, rows.flags)
    _evidence.second_pass(
        *(rows.table, rows.shapes, n, 0, n, rate),
        *(rows.first, rows.scores, rows.certainty, rows.flags, rows.second, rows.trust),
        rows.refused[:n].copy(),
    )
    return np.hstack([rows.second[:n], rows.first[:n]])


def report(parts: Sequence[Candidates], networks: tuple[_scoring.Network, _scoring.Network]) -> dict[str, list[int]]:
    """Return true, missed and false beats at 150 ms after minute 5 of whole records, by kind of example."""
    counts: dict[str, list[int]] = {}
    refused = np.zeros(1)
    seen: dict[str, int] = {}
    for part in parts:
        example = part.example
        if example.fs != 360 or example.x.size < 300000:
            continue
        both = evidence_of_both(part, networks[0])
        n, rate, rows = len(both), design(example.fs).rate, part.lead.rows
        refused = np.zeros(n)
        nothing = np.empty((0, 0), np.float32)
        _scoring.score(both, nothing, refused, 0, n, *networks[1], rows.final, rows.unused)
        for threshold in (-0.5, 0.0, 0.5):
            _evidence.keep_largest(rows.times, rows.final - threshold, n, 0, n, 0.2 * rate, rows.flags)
            late = (rows.times[:n] >= 300 * rate) & (part.weight > 0)
            found = (rows.flags[:n] > 0) & late
            beats = example.beats[example.beats >= 300 * 360]
            for a, b in example.unknown:
                beats = beats[(beats < a) | (beats > b)]
            hits = int((found & (part.true > 0)).sum())
            index = seen.get(example.group, 0)
            kind = f"{'nstdb' if example.x.size == 324000 else 'mitdb'} {example.weight} {threshold}"
            for key in [kind] + ([f"{kind} {example.group}.{index}"] if threshold == 0 else []):
                own = counts.setdefault(key, [0, 0, 0])
                own[0] += hits
                own[1] += len(beats) - hits
                own[2] += int(found.sum()) - hits
        seen[example.group] = index + 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, required=True)
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    parts = [candidates_of(example) for example in examples(options.sets, options.splits)]
    print(f"{len(parts)} leads", flush=True)
    if options.folds:
        groups = sorted({p.example.group for p in parts})
        total: dict[str, list[int]] = {}
        for fold in range(options.folds):
            out = set(groups[fold :: options.folds])
            networks = train([p for p in parts if p.example.group not in out], options.epochs)
            for key, own in report([p for p in parts if p.example.group in out], networks).items():
                total[key] = [a + b for a, b in zip(total.get(key, [0, 0, 0]), own, strict=True)]
        show(total)
        return
    networks = train(parts, options.epochs)
    show(report(parts, networks))
    names = zip(("first", "second"), networks, strict=True)
    arrays: dict[str, Any] = {f"{n}_{f}": getattr(net, f) for n, net in names for f in _scoring.Network._fields}
    arrays["trained_on"] = np.array(sorted({p.example.recording for p in parts} - {"simulated"}))
    np.savez(Path(_scoring.__file__).with_name("_weights.npz"), **arrays)


def show(counts: dict[str, list[int]]) -> None:
    for key, (hits, missed, false) in sorted(counts.items()):
        print(
            f"{key:24s} Se {100 * hits / max(hits + missed, 1):.3f} PPV {100 * hits / max(hits + false, 1):.3f} ",
            end="",
        )
        print(hits, missed, false)


if __name__ == "__main__":
    main()
