"""A measurement gives known answers, says how many beats it rests on, and leaves out what is not there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.analysis.intervals import IntervalMeasurement, measure_intervals, measure_rate
from cardioflow.errors import InputError

FS = 250
ISO = 12


def beat(states, signal, onset, *, with_p=True, with_t=True):
    """Write a beat: P 40 samples before the QRS, a QRS of 25 samples, T that ends 100 samples after its onset."""
    if with_p:
        states[onset - 40 : onset - 20] = 15
    states[onset : onset + 25] = 1
    signal[onset + 10] = 1.0
    if with_t:
        states[onset + 60 : onset + 100] = 7


@pytest.fixture
def record():
    states, signal = np.full(1200, ISO), np.zeros(1200)
    for onset in (100, 300, 500, 700, 900):
        beat(states, signal, onset, with_p=onset != 500, with_t=onset not in {300, 700})
    return signal, states


def test_intervals_of_regular_beats_are_those_that_they_were_made_with(record):
    found = measure_intervals(*record, FS)
    assert found == IntervalMeasurement(
        rr_s=200 / FS, pq_s=40 / FS, qrs_s=25 / FS, qt_s=100 / FS, n_rr=4, n_pq=4, n_qrs=5, n_qt=3
    )
    assert found.heart_rate_bpm == pytest.approx(75)


def test_qt_is_corrected_by_the_published_formulas(record):
    found = measure_intervals(*record, FS)
    assert found.corrected_qt_s("bazett") == pytest.approx(0.4 / 0.8**0.5)
    assert found.corrected_qt_s() == pytest.approx(0.4 / 0.8 ** (1 / 3))
    assert found.corrected_qt_s("framingham") == pytest.approx(0.4 + 0.154 * 0.2)
    at_60 = dataclasses.replace(found, rr_s=1.0)
    assert found.corrected_qt_s("hodges") == pytest.approx(0.4 + 0.00175 * 15)
    assert [at_60.corrected_qt_s(f) for f in ("bazett", "fridericia", "framingham", "hodges")] == [0.4] * 4
    for anything in (found, measure_rate([])):
        with pytest.raises(InputError, match=r"'hodge' is not a formula for QT.*hodges"):
            anything.corrected_qt_s("hodge")


def test_an_interval_that_no_beat_has_is_none():
    nothing = measure_intervals(np.zeros(500), np.full(500, ISO), FS)
    assert nothing == IntervalMeasurement(None, None, None, None, 0, 0, 0, 0)
    assert nothing.heart_rate_bpm is None
    assert nothing.corrected_qt_s() is None
    states, signal = np.full(400, ISO), np.zeros(400)
    beat(states, signal, 100)
    one = measure_intervals(signal, states, FS)
    assert (one.rr_s, one.n_rr, one.qt_s) == (None, 0, 0.4)
    assert one.corrected_qt_s() is None


def test_states_of_another_model_are_named(record):
    signal, states = record
    renamed = np.select([states == 1, states == 15, states == 7], [3, 1, 5], default=0)
    assert measure_intervals(signal, renamed, FS, qrs=[3], p=[1], t=[5]) == measure_intervals(signal, states, FS)


def test_the_rate_of_beats_is_that_of_the_median_interval():
    found = measure_rate([0.5, 1.5, 2.5, 3.0, 4.0])
    assert (found.rr_s, found.n_rr, found.heart_rate_bpm) == (1.0, 4, 60.0)
    assert (found.pq_s, found.qrs_s, found.qt_s) == (None, None, None)
    assert measure_rate([3.0]).heart_rate_bpm is None
    assert measure_rate([]).n_rr == 0


@pytest.mark.parametrize("beats", [[1.0, 1.0], [2.0, 1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_beats_out_of_order_are_refused(beats):
    with pytest.raises(InputError, match="not a sequence of finite times in ascending order"):
        measure_rate(beats)


def test_a_signal_and_states_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"signal of shape \(5,\) and states of shape \(4,\)"):
        measure_intervals(np.zeros(5), np.zeros(4), FS)
    with pytest.raises(InputError, match="fs=0 is not a sampling rate"):
        measure_intervals(np.zeros(5), np.zeros(5), 0)


def test_a_measurement_equals_what_the_action_writes(record):
    signal, states = record
    found = measure_intervals(signal, states, FS)
    batch = EcgBatch.from_arrays([signal[None].astype(np.float32)], fs=FS, leads=["I"])
    wrote = batch.with_component("states", (states,)).calc_ecg_parameters("states").ecg_parameters[0]
    assert (wrote["hr"], wrote["pq"], wrote["qrs"], wrote["qt"]) == (
        found.heart_rate_bpm,
        found.pq_s,
        found.qrs_s,
        found.qt_s,
    )
