"""What the network for waves is trained on: classes as the marks say, and unknown where they say nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from cardioflow.batch import Annotation

sys.path.append(str(Path(__file__).parents[2]))

augment = pytest.importorskip("recipes.waves.augment")
data = pytest.importorskip("recipes.waves.data")


def marks(*pairs):
    return Annotation(sample=np.array([at for _, at in pairs]), symbol=np.array([code for code, _ in pairs]))


BEAT = (("(", 100), ("p", 110), (")", 120), ("(", 140), ("N", 150), (")", 160), ("(", 190), ("t", 210), (")", 240))


def test_samples_have_the_class_of_the_wave_that_they_lie_in():
    y = data.labels(marks(*BEAT), 250.0, 400)
    assert (y[:100] == data.UNKNOWN).all()
    assert (y[241:] == data.UNKNOWN).all()
    assert (y[100:121] == 1).all()
    assert (y[121:140] == 0).all()
    assert (y[140:161] == 2).all()
    assert (y[190:241] == 3).all()


def test_marks_at_another_rate_go_to_the_nearest_sample():
    y = data.labels(marks(*((code, 2 * at) for code, at in BEAT)), 500.0, 400)
    assert np.array_equal(y, data.labels(marks(*BEAT), 250.0, 400))


def test_a_t_wave_without_an_onset_leaves_unknown_what_lies_between_it_and_the_qrs():
    y = data.labels(marks(*BEAT[:6], *BEAT[7:]), 250.0, 400)
    assert (y[164:206] == data.UNKNOWN).all()
    assert (y[210:241] == 3).all()
    assert (y[140:161] == 2).all()


def test_beats_that_were_passed_over_are_unknown_and_not_empty():
    beats = [(code, at + shift) for shift in (0, 250, 500, 1500, 1750) for code, at in BEAT]
    y = data.labels(marks(*beats), 250.0, 2200, gaps=True)
    # From the end of the third beat's T to the onset of the fourth one's P, whole beats may lie unmarked.
    assert (y[745:1595] == data.UNKNOWN).all()
    assert (y[245:345] == 0).all()


@pytest.fixture
def examples():
    beats = [(code, at + shift) for shift in range(0, 2200, 250) for code, at in BEAT]
    y = data.labels(marks(*beats), 250.0, 2500)
    x = np.where(y == 2, 1.0, np.where(y == 1, 0.15, 0.0)).astype(np.float32)
    noise = {k: np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32) for k in ("bw", "em", "ma")}
    return augment.Examples([data.Lead("a", x, y, "", (-x,))] * 4, noise)


def test_the_same_generator_gives_the_same_examples_and_another_gives_others(examples):
    one, two, other = (examples.draw(np.random.default_rng(s), range(4)) for s in (1, 1, 2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert not np.array_equal(one[0], other[0])
    assert one[0].shape == one[1].shape == (4, augment.LENGTH)
    assert np.isfinite(one[0]).all()


def test_a_made_fibrillation_has_no_p_left_in_the_signal(examples):
    lead = examples.leads[0]
    made = augment._fibrillating(np.random.default_rng(3), lead.x, lead.y)
    flat = made - lead.x * (lead.y == 2)
    at_p = flat[(lead.y == 1)]
    # f-waves of up to 0.2 may lie there, but not the step of the P wave.
    assert abs(float(np.mean(at_p))) < 0.05


def test_folds_hold_each_record_out_once_and_are_alike_in_rhythm(tmp_path):
    table = tmp_path / "ludb.csv"
    rows = [f"{i},{'Sinus rhythm' if i % 5 else 'Atrial fibrillation'},train" for i in range(1, 101)]
    table.write_text("record,rhythm,part\n" + "\n".join(rows) + "\n")
    held = [data.ludb_fold(table, k, held_out=True) for k in range(5)]
    assert sorted((name for fold in held for name in fold), key=int) == [str(i) for i in range(1, 101)]
    assert all(sum(int(name) % 5 == 0 for name in fold) == 4 for fold in held)
    assert not set(held[0]) & set(data.ludb_fold(table, 0, held_out=False))
