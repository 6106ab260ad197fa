"""The action ``calc_hrv``: variability of the beats of each record."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch import Annotation
from cardioflow.errors import InputError, UnknownNameError


def _batch(symbols: list[str] | None = None) -> EcgBatch:
    times = [0.5]
    while times[-1] < 298:
        times.append(times[-1] + 0.8 + 0.03 * np.sin(2 * np.pi * 0.1 * times[-1]))
    sample = np.rint(np.array(times) * 500).astype(np.int64)
    symbol = np.array(symbols * len(sample) if symbols else ["N"] * len(sample))[: len(sample)]
    marks = Annotation(sample=sample, symbol=symbol)
    return EcgBatch.from_arrays(np.zeros((1, 1, 150_000)), fs=500, annotations=[marks])


def test_each_record_has_all_measures_their_reasons_and_their_settings():
    done = _batch().calc_hrv("annotation")
    assert done.hrv[0]["lf"] == pytest.approx(450, rel=0.03)
    assert done.hrv[0]["settings"].spectrum == "welch"
    assert done.hrv[0]["reasons"]["ulf"] == "ULF needs a recording of a day"
    assert done.hrv["n_left_out"][0] == 0


def test_intervals_next_to_other_beats_are_left_out():
    done = _batch(["N"] * 9 + ["V"]).calc_hrv("annotation")
    assert done.hrv[0]["n_left_out"] == pytest.approx(0.2 * done.hrv[0]["n_intervals"], abs=2)


def test_marks_that_are_no_beats_do_not_split_an_interval():
    marks = _batch().annotation[0]
    more = Annotation(
        sample=np.sort(np.concatenate([marks.sample, marks.sample + 40])),
        symbol=np.array(["N", "t"] * len(marks)),
    )
    plain = _batch()
    with_t = plain.replace(annotation=(more,))
    assert with_t.calc_hrv("annotation").hrv[0]["rmssd"] == plain.calc_hrv("annotation").hrv[0]["rmssd"]


@pytest.mark.parametrize("first", [0, 1])
def test_beats_that_are_marked_in_each_lead_count_once(first):
    marks = _batch().annotation[0]
    each = Annotation(
        sample=np.column_stack([marks.sample, marks.sample + 2, marks.sample + 4]).ravel(),
        symbol=np.repeat(marks.symbol, 3),
        channel=np.tile(np.arange(first, first + 3), len(marks)),
    )
    plain = _batch()
    found = plain.replace(annotation=(each,)).calc_hrv("annotation")
    assert found.hrv[0]["rmssd"] == plain.calc_hrv("annotation").hrv[0]["rmssd"]


def test_wrong_settings_and_missing_events_are_refused():
    with pytest.raises(InputError, match="takes no setting 'spectral'"):
        _batch().calc_hrv(settings={"spectral": "lomb"})
    with pytest.raises(UnknownNameError, match="beats"):
        _batch().calc_hrv()


def test_beats_that_were_detected_are_measured(data):
    from cardioflow import EcgDataset, Pipeline

    run = EcgDataset(data / "mitdb" / "119.hea") >> Pipeline().load(fmt="wfdb").detect_beats().calc_hrv(preset="kubios")
    found = run.next_batch(1).hrv[0]
    # A third of 119's beats are ventricular: what is left are the intervals of sinus rhythm, at 65 a minute or so.
    assert 55 < found["mean_hr"] < 75
    assert found["n_left_out"] > 500
    assert "more than 5 %" in found["warnings"][0]
