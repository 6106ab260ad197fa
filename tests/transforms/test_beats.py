"""Segments and medians of annotated beats contain the right beats."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgDataset
from cardioflow.batch import Annotation
from cardioflow.errors import InputError


@pytest.fixture(scope="module")
def mitdb(data):
    """Records 119 and 208 of MIT-BIH, whose beats are N and V, and N, V, F and others."""
    batch = EcgDataset([data / "mitdb" / "119.hea", data / "mitdb" / "208.hea"]).next_batch(2)
    return batch.load(fmt="wfdb", components=["signal", "meta", "annotation"], ann_ext="atr")


def beats(samples, symbols):
    return Annotation(sample=np.array(samples, np.int64), symbol=np.array(list(symbols)))


def test_every_beat_becomes_a_row_with_its_symbol_as_target(mitdb):
    done = mitdb.crop_beats(0.2, 0.3)
    for i, record in enumerate(mitdb.ids):
        own = mitdb.annotation[i]
        kept = [
            (s, c)
            for s, c in zip(own.sample.tolist(), own.symbol.tolist(), strict=True)
            if c in "NVFQ/fLRAaJSejE?nBr" and s >= 72 and s + 108 <= mitdb.signal.lengths[i]
        ]
        rows = [k for k, r in enumerate(done.provenance.record_id) if r == record]
        assert [done.target[k] for k in rows] == [c for _, c in kept]
        middle = len(kept) // 2
        np.testing.assert_array_equal(
            done.signal[rows[middle]], mitdb.signal[i][:, kept[middle][0] - 72 : kept[middle][0] + 108]
        )
        assert float(done.provenance.segment_start_s[rows[middle]][0]) == pytest.approx((kept[middle][0] - 72) / 360)
    assert done.ids[:2] == ("119/0", "119/1")
    assert done.signal.dense().shape[1:] == (2, 180)


def test_beats_are_put_into_the_five_classes_of_ec57(mitdb):
    done = mitdb.crop_beats(labels="aami")
    assert done.classes == ("F", "N", "Q", "S", "V")
    assert {"F", "N", "V"} <= set(done.target) <= set(done.classes)
    assert done.binarize_labels().target.shape == (len(done), 5)


def test_only_the_chosen_beats_are_taken_and_they_are_the_classes(mitdb):
    done = mitdb.take([0]).crop_beats(symbols=["V"])
    assert done.classes == ("V",)
    assert len(done) == (mitdb.annotation[0].symbol == "V").sum()


def test_annotations_in_a_beat_window_count_from_its_first_sample(make):
    batch = make(np.arange(100.0)[None], fs=100, annotation=(beats([40, 48, 60], "(N)"),))
    done = batch.crop_beats(0.1, 0.2)
    assert done.annotation[0].sample.tolist() == [2, 10, 22]
    assert done.signal[0][0, 10] == 48


def test_beats_at_the_edges_and_records_without_beats_are_left_out(make):
    batch = make(np.ones((1, 100)), np.ones((1, 100)), fs=100, annotation=(beats([5, 50, 95], "NVN"), beats([], "")))
    done = batch.crop_beats(0.1, 0.1)
    assert done.target.tolist() == ["V"]
    assert len(batch.take([1]).crop_beats()) == 0


def test_a_record_without_beats_gives_no_rows(make):
    batch = make(np.ones((1, 100)), np.ones((1, 100)), fs=100, annotation=(beats([], ""), beats([50], "N")))
    done = batch.crop_beats(0.1, 0.1).resample_signals(50).standardize().band_pass_signals(1, 20)
    assert done.ids == ("A00001/0",)
    assert done.signal[0].shape == (1, 10)


def test_the_records_own_labels_can_be_kept(make):
    target = np.array(["A"], dtype=object)
    batch = make(np.ones((1, 100)), fs=100, annotation=(beats([30, 60], "NN"),), target=target, classes=("A", "N"))
    done = batch.crop_beats(0.1, 0.1, labels="keep")
    assert done.target.tolist() == ["A", "A"]
    assert done.classes == ("A", "N")


def test_a_median_beat_is_the_median_of_its_beats(mitdb):
    done = mitdb.take([0]).median_beat(0.2, 0.3)
    at = mitdb.annotation[0].sample[mitdb.annotation[0].symbol == "N"]
    at = at[(at >= 72) & (at + 108 <= mitdb.signal.lengths[0])]
    expected = np.median(np.stack([mitdb.signal[0][:, s - 72 : s + 108] for s in at]), axis=0)
    np.testing.assert_allclose(done.signal[0], expected, atol=1e-6)
    assert done.meta[0]["n_beats"] == at.size
    assert done.annotation[0].sample.tolist() == [72]


def test_a_median_beat_suppresses_noise_that_is_independent_between_beats(make):
    rng = np.random.default_rng(3)
    beat = np.exp(-0.5 * ((np.arange(100) - 40) / 5.0) ** 2)
    x = np.tile(beat, 200) + 0.2 * rng.standard_normal(20_000)
    batch = make(x[None], fs=100, annotation=(beats(np.arange(200) * 100 + 40, "N" * 200),))
    done = batch.median_beat(0.3, 0.5).signal[0][0]
    # The median of 199 has 1.25/√199 of the noise's deviation; five of those.
    assert np.abs(done - beat[10:90]).max() < 5 * 0.2 * 1.25 / np.sqrt(199)


def test_a_record_without_such_a_beat_is_named(make):
    with pytest.raises(InputError) as caught:
        make(np.ones((1, 100)), annotation=(beats([50], "V"),)).median_beat()
    assert str(caught.value) == (
        "median_beat cannot take record 'A00000' of shape (1, 100): none of its 0 beats of 'N' lies inside it. "
        "Leave the record out"
    )


def test_a_symbol_that_is_not_a_beat_is_refused_at_once(make):
    for name in ("crop_beats", "median_beat"):
        with pytest.raises(InputError, match=r"'p' does not stand for a beat. Pass some of: / \? A B"):
            getattr(make(np.ones((1, 9))), name)(symbols=["N", "p"])


def test_beats_are_cropped_before_cutting(mitdb):
    with pytest.raises(InputError, match="Call unstack_signals first"):
        mitdb.split_signals(1000).crop_beats()
