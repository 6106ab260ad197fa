"""The contract of every transform, tested as soon as its file exists."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pytest

from cardioflow import Pipeline
from cardioflow.batch import Annotation, EcgBatch, Meta, Ragged
from cardioflow.batch.columns import TimeSeries
from cardioflow.core import equality
from cardioflow.errors import InputError
from cardioflow.registry import transforms
from cardioflow.transforms.base import PartnerTransform, RandomTransform, Transform

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

# What a transform needs to have been done before, because it takes no plain signal.
BEFORE = {
    "ifft": ("fft",),
    "irfft": ("rfft",),
    "idwt": ("dwt",),
    "waverec": ("wavedec",),
    **dict.fromkeys(("random_mix_up", "random_cut_mix"), ("binarize_labels",)),
}

# Gaps, each with its reason.
NEEDS_UNCUT = {
    "split_signals": "a segment cannot be cut into segments without unstacking",
    "random_split_signals": "a segment cannot be cut into segments without unstacking",
    "random_crop_signals": "a segment cannot be cut into segments without unstacking",
    "crop_beats": "beats are counted from the start of a record",
    "median_beat": "beats are counted from the start of a record",
    "append_wave_probabilities": "waves are those of the whole record",
    "delineate": "waves are counted from the start of a record",
    "measure": "waves are counted from the start of a record",
    "detect_beats": "beats are scored by what surrounds them in the record",
    "classify_beats": "beats are compared with the others of the record",
    "calc_hrv": "beats are counted from the start of a record",
    "calc_features": "intervals are those of the whole record",
    "calc_ecg_parameters": "states are counted from the start of a record",
    "squeeze": "there are several segments",
    "repeat_signal": "a segment cannot be cut into segments without unstacking",
    "get_triplets": "a segment cannot be cut into segments without unstacking",
}
MIXES_RECORDS = dict.fromkeys(
    ("get_triplets", "random_mix_up", "random_cut_mix"),
    "draws from the batch where there is no data set; tests/pipeline/test_partners.py has one",
)
NEEDS_ONE_RATE = {"get_triplets": "a record without another of its rate has no negative, and is refused"}
RANDOM = (RandomTransform, PartnerTransform)
KEEPS_CARDIO_NAME = {"get_triplets": "users know it by this name"}
NO_TIME_AXIS = {
    "signal_transpose": "time is the first axis then",
    **dict.fromkeys(("fft", "rfft", "ifft", "irfft"), "bins are no samples, and n may be another"),
    **dict.fromkeys(("dwt", "idwt", "pdwt", "wavedec", "waverec", "cwt"), "coefficients are no samples"),
    "spectrogram": "its times are windows",
}
DROPS_TIME = {"median_beat": "its time is that of no record"}
RESAMPLES = ("random_speed", "resample_signals", "random_resample_signals")
FASTEST = {"random_speed": 1.25}
"""How many samples become one where the rate in the metadata does not tell."""
MOVES_IMPULSES = {
    "apply_to_each_channel": "its example is a running sum",
    "random_cut_mix": "pastes a part of another record",
    "random_mix_up": "another record's beats come in",
}
AXES_ARE_NO_SEGMENTS = {
    "signal_transpose": "the first axis is time then",
    **dict.fromkeys(("dwt", "idwt", "cwt", "spectrogram"), "leads stand first, then scales or frequencies"),
}


def ecg(rng: np.random.Generator, samples: int, fs: float) -> np.ndarray[Any, Any]:
    """A crude 12-lead ECG with one beat per second, baseline wander and noise."""
    time = np.arange(samples) / fs
    beat = np.exp(-0.5 * (((time + 0.6) % 1.0 - 0.5) / 0.012) ** 2) + 0.2 * np.exp(
        -0.5 * (((time + 0.3) % 1 - 0.5) / 0.05) ** 2
    )
    gains = np.array([0.8, 1.0, 0.2, -0.9, 0.3, 0.6, -0.5, -0.4, 0.3, 1.1, 1.2, 0.9])[:, None]
    return gains * beat + 0.1 * np.sin(2 * np.pi * 0.3 * time) + 0.02 * rng.standard_normal((12, samples))


def marks(samples: int, fs: float) -> Annotation:
    peaks = np.arange(int(0.4 * fs), samples, int(fs))
    three = np.sort(np.concatenate([peaks - int(0.04 * fs), peaks, peaks + int(0.04 * fs)]))
    three = three[(three >= 0) & (three < samples)]
    symbols = np.array([{0: "(", 1: "N", 2: ")"}[i % 3] for i in range(len(three))], dtype="<U1")
    return Annotation(sample=three, symbol=symbols)


def beats(samples: int, fs: float) -> Annotation:
    """The beats of a detector, each with its sample number."""
    peaks = np.arange(int(0.4 * fs), samples, int(fs))
    return Annotation(sample=peaks, num=peaks, confidence=np.linspace(0.5, 1.0, len(peaks)))


def states(samples: int, fs: float) -> np.ndarray[Any, Any]:
    """States as in CardIO: P, QRS and T in every second."""
    phase = (np.arange(samples)[None] / fs + 0.1) % 1.0
    bounds = ((0.2, 0.3, 15), (0.45, 0.55, 1), (0.7, 0.9, 7))
    return np.select([(phase >= a) & (phase < b) for a, b, _ in bounds], [s for *_, s in bounds], 11)


def make(lengths: tuple[int, ...], rates: tuple[float, ...], *, seed: int = 5) -> EcgBatch:
    rng = np.random.default_rng(11)
    n = len(lengths)
    labels = np.array([("N", "A", "O", "~")[i % 4] for i in range(n)], dtype=object)
    return (
        EcgBatch(
            ids=tuple(f"A{i:05d}" for i in range(n)),
            signal=Ragged.from_arrays([ecg(rng, m, fs) for m, fs in zip(lengths, rates, strict=True)]),
            annotation=tuple(marks(m, fs) for m, fs in zip(lengths, rates, strict=True)),
            meta=Meta({"fs": np.array(rates, float), "leads": [LEADS] * n, "units": [("mV",) * 12] * n}, n),
            target=labels,
            classes=("A", "N", "O", "~"),
            seed=seed,
        )
        .with_component("note", np.arange(n))
        .with_component("vector", np.arange(3.0 * n).reshape(n, 3))
        .with_component("states", [states(m, fs) for m, fs in zip(lengths, rates, strict=True)], kind="time series")
        # What follows is the number of the sample that it stands at, so that it shows where that sample went.
        .with_component("place", [np.arange(m, dtype=np.float32)[None] for m in lengths], kind="time series")
        .with_component("step", [np.arange(m, dtype=np.int32) for m in lengths], kind="time series")
        .with_component("odd", [np.arange(m) % 2 == [[0], [1]] for m in lengths], kind="time series")
        .with_component("beats", tuple(beats(m, fs) for m, fs in zip(lengths, rates, strict=True)))
    )


@cache
def batch_of(kind: str) -> EcgBatch:
    if kind == "ragged":
        return make((1200, 1000, 700, 1500, 1100, 900), (250.0, 300.0, 250.0, 500.0, 360.0, 250.0))
    if kind == "dense":
        return make((1000,) * 4, (250.0,) * 4)
    if kind == "cut":
        return batch_of("ragged").split_signals(500, 300)
    if kind == "one sample":
        return make((1, 1000), (250.0, 250.0))
    if kind == "empty":
        return batch_of("ragged").take(np.arange(0))
    if kind == "empty cut":
        return batch_of("cut").take(np.arange(0))
    raise AssertionError(kind)


def prepared(name: str, kind: str) -> EcgBatch:
    batch = batch_of(kind)
    if name in NEEDS_ONE_RATE:
        batch = batch.take(batch.fs == 250)
    for before in BEFORE.get(name, ()):
        batch = getattr(batch, before)()
    return batch


def members() -> Iterator[Any]:
    for name in transforms.names():
        cls = transforms.get(name)
        for i in range(len(cls.examples())):
            yield pytest.param(name, i, id=f"{name}-{i}")


KINDS = ("ragged", "dense", "cut", "one sample", "empty", "empty cut")
each = pytest.mark.parametrize(("name", "example"), list(members()))
each_kind = pytest.mark.parametrize("kind", KINDS)


def run(name: str, example: int, kind: str, *, seed: int = 5) -> EcgBatch | None:
    """The transformed batch, or None if a declared gap, or a signal that is too short, raised as expected."""
    batch = prepared(name, kind).replace(seed=seed)
    action = transforms.get(name).examples()[example]
    if kind == "cut" and name in NEEDS_UNCUT:
        with pytest.raises(InputError, match="Call unstack_signals"):
            action(batch)
        return None
    if kind == "empty cut" and name in NEEDS_UNCUT:
        return None
    if kind == "one sample":
        try:
            return action(batch)
        except InputError as error:
            if "A00000" not in str(error):
                raise
            return None
    return action(batch)


def same(a: EcgBatch, b: EcgBatch) -> bool:
    columns = (a.ids == b.ids, a.signal == b.signal, a.annotation == b.annotation, a.meta == b.meta)
    target = (a.target is None) == (b.target is None) and (a.target is None or np.array_equal(a.target, b.target))
    if a.columns.keys() != b.columns.keys():
        return False
    own = all(a.columns[k].kind == b.columns[k].kind and equal(a.component(k), b.component(k)) for k in a.columns)
    return all(columns) and target and own and a.classes == b.classes


def equal(a: Any, b: Any) -> bool:
    # NaN, which stands for what could not be measured, equals NaN.
    if isinstance(a, Meta):
        return equality.same([dict(row) for row in a], [dict(row) for row in b])
    return equality.same(a, b) if isinstance(a, np.ndarray) else a == b


@each
@each_kind
def test_a_transform_does_not_change_the_batch_that_it_is_given(name, example, kind):
    before = pickle.dumps(prepared(name, kind))
    run(name, example, kind)
    assert pickle.dumps(prepared(name, kind)) == before


@each
@each_kind
def test_the_result_is_a_complete_batch_with_provenance(name, example, kind):
    done = run(name, example, kind)
    if done is None:
        return
    assert done.history[-1] == name
    rows = len(done)
    assert len(done.provenance.record_id) == len(done.provenance.key) == len(done.provenance.segment_start_s) == rows
    assert len(done.signal) == len(done.meta) == len(done.annotation) == rows
    if done.signal.ndim == 3 and name not in AXES_ARE_NO_SEGMENTS:
        assert [len(s) for s in done.provenance.segment_start_s] == done.signal.shapes[:, 0].tolist()


@each
@each_kind
def test_signals_stay_float32_or_complex64_finite_and_read_only(name, example, kind):
    done = run(name, example, kind)
    if done is None:
        return
    assert done.signal.dtype in (np.float32, np.complex64)
    assert not done.signal.data.flags.writeable
    assert np.isfinite(done.signal.data).all()


@each
@each_kind
def test_annotations_stay_in_order_and_inside_the_signal(name, example, kind):
    done = run(name, example, kind)
    if done is None:
        return
    for i, own in enumerate(done.annotation):
        for segment in own if isinstance(own, tuple) else (own,):
            assert (np.diff(segment.sample) >= 0).all()
            if len(segment) and name not in NO_TIME_AXIS:
                assert segment.sample.min() >= 0
                assert segment.sample.max() < done.signal.lengths[i]


def series_of(batch: EcgBatch) -> dict[str, TimeSeries]:
    return {name: column for name, column in batch.columns.items() if isinstance(column, TimeSeries)}


def segments_of(values: Any, row: int, *, cut: bool) -> list[Any]:
    """The segments of a row; one for an uncut row."""
    return list(values[row]) if cut else [values[row]]


@each
@each_kind
def test_components_keep_their_kind_and_time_series_their_type_and_length(name, example, kind):
    done = run(name, example, kind)
    if done is None or name in DROPS_TIME:
        return
    before = prepared(name, kind)
    assert {n: done.columns[n].kind for n in before.columns} == {n: c.kind for n, c in before.columns.items()}
    for own, column in series_of(done).items():
        assert column.samples.dtype == before.columns[own].samples.dtype
        if name not in NO_TIME_AXIS:
            column.check_along(done.signal, own, done.ids, "")
    assert isinstance(done.beats, tuple)
    assert done.vector.shape == (len(done), 3)


@pytest.mark.parametrize("name", DROPS_TIME)
def test_removing_the_time_axis_drops_time_series_and_events_and_keeps_the_rest(name):
    done = run(name, 0, "ragged")
    assert {n: c.kind for n, c in done.columns.items()} == {"note": "static", "vector": "static"}


@each
@pytest.mark.parametrize("kind", ["ragged", "dense", "cut"])
def test_events_and_time_series_stay_aligned(name, example, kind):
    done = run(name, example, kind)
    if done is None or name in NO_TIME_AXIS or name in DROPS_TIME:
        return
    whole = batch_of("dense" if kind == "dense" else "ragged")
    old_fs = dict(zip(whole.ids, whole.fs, strict=True))
    seen = 0
    for i in range(len(done)):
        ratio = max(old_fs[done.provenance.record_id[i]] / done.fs[i], FASTEST.get(name, 1.0))
        cut = done.signal.ndim == 3
        for place, step, marks in zip(
            segments_of(done.place, i, cut=cut),
            segments_of(done.step, i, cut=cut),
            done.beats[i] if cut else done.beats[i : i + 1],
            strict=True,
        ):
            assert (np.abs(step[marks.sample] - marks.num) <= ratio).all()
            assert not np.isnan(marks.confidence).any()
            # Near its ends, the filter of resampling sees the zeros outside.
            inner = slice(60, -60) if name in RESAMPLES else slice(None)
            inside = ~np.isnan(place[0, inner])
            apart = np.abs(place[0, inner][inside] - step[inner][inside])
            assert (apart <= 0.5 * ratio + (0.5 if name in RESAMPLES else 0.01)).all()
            seen += len(marks)
    assert seen


@each
@pytest.mark.parametrize("kind", ["ragged", "dense", "cut"])
def test_an_impulse_in_signal_and_time_series_stays_aligned_with_its_event(name, example, kind):
    batch = prepared(name, kind)
    if name in NO_TIME_AXIS or name in DROPS_TIME or (kind == "cut" and name in NEEDS_UNCUT):
        return
    action = transforms.get(name).examples()[example]
    done = action(with_impulses(batch))
    for i in range(len(done)):
        cut = done.signal.ndim == 3
        for signal, series, marks in zip(
            segments_of(done.signal, i, cut=cut),
            segments_of(done.impulses, i, cut=cut),
            done.beats[i] if cut else done.beats[i : i + 1],
            strict=True,
        ):
            for at in marks.sample[(marks.sample >= 9) & (marks.sample < signal.shape[-1] - 9)]:
                near = slice(at - 9, at + 10)
                assert abs(np.argmax(np.nan_to_num(series[0, near])) - 9) <= 1
                if name not in MOVES_IMPULSES and signal[:, near].any():
                    assert abs(np.argmax(height(signal[:, near])) - 9) <= 1


def height(signal: Any) -> Any:
    """The largest deviation of any lead from its first and last sample, for each sample."""
    return np.abs(signal - (signal[:, :1] + signal[:, -1:]) / 2).max(axis=0)


def with_impulses(batch: EcgBatch) -> EcgBatch:
    """The batch with 20 mV added to the signal, and a 1 in a time series, at every beat of ``beats``."""
    data, series = [], []
    for x, own in zip(batch.signal, batch.beats, strict=True):
        one = np.zeros((*x.shape[:-2], 1, x.shape[-1]), np.float32)
        for k, marks in enumerate(own) if isinstance(own, tuple) else [(..., own)]:
            one[k, 0, marks.sample] = 1
        data.append(x + 20 * one)
        series.append(one)
    signal = Ragged.from_arrays(data, ndim=batch.signal.ndim)
    return batch.replace(signal=signal).with_component("impulses", series, kind="time series")


@each
@pytest.mark.parametrize("kind", ["ragged", "cut"])
def test_the_same_seed_gives_the_same_numbers(name, example, kind):
    first, second = run(name, example, kind), run(name, example, kind)
    assert first is second is None or same(first, second)


@each
def test_another_seed_gives_other_numbers_if_the_transform_is_random(name, example):
    cls = transforms.get(name)
    # Records of one shape, because what is mixed is mixed with its like.
    kind = "dense" if name in MIXES_RECORDS else "ragged"
    first = run(name, example, kind, seed=0)
    seeds = range(1, 6) if issubclass(cls, RANDOM) else (1,)
    others = [run(name, example, kind, seed=s) for s in seeds]
    assert all(same(first, other) for other in others) != issubclass(cls, RANDOM)


@each
def test_the_order_and_size_of_the_batch_do_not_change_a_record(name, example):
    if name in MIXES_RECORDS:
        pytest.skip(MIXES_RECORDS[name])
    batch = prepared(name, "ragged")
    action = transforms.get(name).examples()[example]
    whole = action(batch)
    backwards = action(batch.take(np.arange(len(batch))[::-1]))
    singles = [action(batch[i]) for i in range(len(batch))]
    by_id = {one.ids[j]: one[j] for one in singles for j in range(len(one))}
    back_by_id = {backwards.ids[j]: backwards[j] for j in range(len(backwards))}
    assert list(by_id) == list(whole.ids)
    for j, record in enumerate(whole.ids):
        assert same(whole[j], by_id[record])
        assert same(whole[j], back_by_id[record])


@each
def test_a_second_occurrence_in_a_pipeline_draws_other_numbers(name, example):
    if not issubclass(transforms.get(name), RANDOM):
        return
    batch = prepared(name, "dense" if name in MIXES_RECORDS else "ragged")
    action = transforms.get(name).examples()[example]
    first = [action(batch.replace(seed=s)) for s in range(4)]
    second = [action(batch.replace(seed=s, history=(name,))) for s in range(4)]
    assert not all(same(a, b) for a, b in zip(first, second, strict=True))


@each
def test_a_transform_can_be_printed_compared_hashed_and_pickled(name, example):
    cls = transforms.get(name)
    action, again = cls.examples()[example], cls.examples()[example]
    assert issubclass(cls, (Transform, *RANDOM))
    assert action.action_name == name
    assert str(action).startswith(f"{name}(")
    assert action == again
    assert hash(action) == hash(again)
    assert pickle.loads(pickle.dumps(action)) == action


def written(action: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments that recreate the action."""
    values = {f.name: getattr(action, f.name) for f in fields(action) if f.init}
    extra = values.pop("kwargs", {})
    if "func" in values:
        return (values.pop("func"), *values.pop("args")), {**values, **extra}
    return (), {**values, **extra}


@each
def test_a_transform_survives_a_round_trip_through_json(name, example):
    action = transforms.get(name).examples()[example]
    args, kwargs = written(action)
    functions = {f"{f.__module__}.{f.__qualname__}": f for f in args if callable(f)}
    text = getattr(Pipeline(), name)(*args, **kwargs).to_json()
    (call,) = Pipeline.from_json(text, functions).steps
    assert transforms.get(call.name)(*call.args, **call.kwargs) == action


@pytest.mark.parametrize("name", transforms.names())
def test_the_name_of_a_random_transform_starts_with_random(name):
    assert issubclass(transforms.get(name), RANDOM) == (name.startswith("random_") or name in KEEPS_CARDIO_NAME)


@pytest.mark.parametrize("name", transforms.names())
def test_a_transform_describes_itself_in_one_sentence(name):
    first = transforms.get(name).__doc__.strip().splitlines()[0]
    assert first.endswith(".")
    assert len(first) <= 113
