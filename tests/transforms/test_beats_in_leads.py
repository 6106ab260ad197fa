"""A beat that is marked in several leads is one beat."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.batch import Annotation
from cardioflow.transforms.beats._beats import beats_once

FS = 200.0


def marks(*rows) -> Annotation:
    """Marks of (sample, channel, symbol), in order of time."""
    rows = sorted(rows, key=lambda row: row[0])
    return Annotation(
        sample=np.array([r[0] for r in rows], np.int64),
        channel=np.array([r[1] for r in rows], np.int64),
        symbol=np.array([r[2] for r in rows] or [], "<U1"),
    )


def told(found: Annotation) -> list[tuple[int, int, str]]:
    return list(zip(found.sample.tolist(), found.channel.tolist(), found.symbol.tolist(), strict=True))


# 0.15 s are 30 samples.
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([(5, 0, "N"), (5, 0, "N"), (9, 0, "+")], [(5, 0, "N"), (5, 0, "N")]),
        ([(100, 1, "N"), (103, 2, "N"), (300, 1, "V"), (297, 2, "N")], [(100, 1, "N"), (300, 1, "V")]),
        ([(100, 2, "N"), (300, 1, "N")], [(100, 2, "N"), (300, 1, "N")]),
        ([(100, 1, "N"), (130, 2, "N"), (131, 3, "N")], [(100, 1, "N"), (131, 3, "N")]),
        ([(100, 0, "N"), (70, 1, "V"), (69, 2, "V")], [(69, 2, "V"), (100, 0, "N")]),
        ([(100, 1, "p"), (100, 1, "("), (110, 1, "N"), (111, 2, "N")], [(110, 1, "N")]),
        ([(0, 3, "N"), (0, 1, "N"), (0, 2, "N")], [(0, 1, "N")]),
    ],
    ids=["none", "one channel", "both leads", "each in one", "just apart", "whole record", "waves", "first sample"],
)
def test_beats_of_later_leads_are_those_that_no_earlier_one_has(given, expected) -> None:
    assert told(beats_once(marks(*given), FS)) == expected


PEAKS = np.arange(200, 3800, 180)


@pytest.fixture(scope="module")
def batches():
    """Records of three leads with a beat every 0.9 s: marked once, and marked in each lead, up to 10 ms apart."""
    rng = np.random.default_rng(3)
    x = 0.02 * rng.normal(size=(1, 3, 4000))
    for k, height in enumerate((1.0, 0.7, -0.5)):
        for p in PEAKS:
            x[0, k, p - 6 : p + 7] += height * np.hanning(13)
    once = marks(*[(p, 0, "N") for p in PEAKS])
    thrice = marks(*[(p + 2 * (c - 1), c, "N") for p in PEAKS for c in (1, 2, 3)])
    # Leads 2 and 3 miss beats; lead 1 has them all.
    return {
        name: EcgBatch.from_arrays(x, fs=FS, leads=("I", "II", "V1"), annotations=[own])
        for name, own in (("once", once), ("thrice", thrice))
    }


def test_each_beat_is_cropped_once(batches) -> None:
    one, three = batches["once"].crop_beats(0.2, 0.3), batches["thrice"].crop_beats(0.2, 0.3)
    assert len(one) == len(three) == len(PEAKS)
    assert one.signal == three.signal
    assert three.target.tolist() == ["N"] * len(PEAKS)


def test_a_median_beat_counts_each_beat_once_and_is_not_smeared(batches) -> None:
    one, three = batches["once"].median_beat(), batches["thrice"].median_beat()
    assert one.meta[0]["n_beats"] == three.meta[0]["n_beats"] == len(PEAKS)
    assert one.signal == three.signal


def test_the_baseline_has_one_knot_for_each_beat(batches) -> None:
    assert batches["once"].remove_baseline("spline").signal == batches["thrice"].remove_baseline("spline").signal


def test_intervals_are_those_between_beats_and_not_between_leads(batches) -> None:
    one, three = (b.calc_hrv("annotation").hrv[0] for b in batches.values())
    assert one["n_intervals"] == three["n_intervals"] == len(PEAKS) - 1
    assert one["mean_nn"] == three["mean_nn"] == pytest.approx(900)


def test_intervals_count_beats_that_only_a_later_lead_marks() -> None:
    own = [(p, 1 + i % 2, "N") for i, p in enumerate(PEAKS)]
    batch = EcgBatch.from_arrays(np.zeros((1, 2, 4000)), fs=FS, annotations=[marks(*own)])
    found = batch.calc_hrv("annotation").hrv[0]
    assert (found["n_intervals"], found["mean_nn"]) == (len(PEAKS) - 1, pytest.approx(900))


def test_each_beat_has_one_class(batches) -> None:
    one, three = (b.classify_beats("annotation").beat_classes[0] for b in batches.values())
    assert one.sample.tolist() == three.sample.tolist() == PEAKS.tolist()
    assert one.symbol.tolist() == three.symbol.tolist()
