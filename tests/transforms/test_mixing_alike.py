"""Records are mixed, sample by sample, only with records of the same rate, leads and units."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.errors import LabelError

MIXERS = ("random_mix_up", "random_cut_mix")


def flat(n=6, **kwargs) -> EcgBatch:
    """Records whose samples are their number; all have the label A but the odd ones."""
    signals = np.arange(float(n))[:, None, None] + np.zeros((n, 2, 60))
    arguments = {"fs": 100, "leads": ("I", "II"), "targets": ["AB"[i % 2] for i in range(n)], **kwargs}
    return EcgBatch.from_arrays(signals, **arguments)


def partners(done: EcgBatch, before: EcgBatch) -> list[set[int]]:
    """The records that each row's samples can have been mixed with: whole numbers of a stretch that was replaced."""
    return [set(np.unique(x).astype(int)) - {i} for i, x in enumerate(done.signal)]


HALVES = {
    "rate": {"fs": [100, 100, 100, 250, 250, 250]},
    "leads": {"leads": [("I", "II")] * 3 + [("II", "I")] * 3},
    "unit": {"units": [("mV", "mV")] * 3 + [("uV", "mV")] * 3},
}


@pytest.mark.parametrize("name", HALVES)
def test_a_stretch_comes_from_a_record_of_the_same(name) -> None:
    batch = flat(**HALVES[name]).binarize_labels()
    seen = set()
    for seed in range(8):
        for i, others in enumerate(partners(batch.replace(seed=seed).random_cut_mix(1.0), batch)):
            assert all(j // 3 == i // 3 for j in others)
            seen |= {(i, j) for j in others}
    assert len(seen) >= 8


@pytest.mark.parametrize("name", HALVES)
def test_a_sum_is_made_with_a_record_of_the_same(name) -> None:
    batch = flat(**HALVES[name]).binarize_labels()
    for seed in range(8):
        values = batch.replace(seed=seed).random_mix_up(1.0).signal.dense()[:, 0, 0]
        assert ((values[:3] >= 0) & (values[:3] <= 2)).all()
        assert ((values[3:] >= 3) & (values[3:] <= 5)).all()


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_record_without_its_like_is_unchanged_and_so_is_its_target(mixer) -> None:
    batch = flat(2, fs=[100, 250]).binarize_labels()
    done = getattr(batch, mixer)(1.0)
    assert done.signal == batch.signal
    assert done.target.tolist() == batch.target.tolist()


def test_segments_of_a_triplet_have_one_rate_and_one_set_of_leads() -> None:
    batch = flat(8, fs=[100, 100, 100, 100, 250, 250, 250, 250])
    done = batch.get_triplets(3, 20)
    for names in done.triplet:
        assert len({int(name) // 4 for name in names}) == 1
    alone = flat(3, fs=[100, 250, 100], targets=["A", "B", "A"])
    with pytest.raises(LabelError, match=r"found no negative for record '[02]'.*same leads, units and sampling rate"):
        alone.take([0, 1]).get_triplets(1, 20)


@pytest.mark.parametrize("mixer", MIXERS)
def test_batches_without_names_of_leads_are_mixed_by_their_shape(mixer) -> None:
    batch = flat(6, leads=None).binarize_labels()
    assert getattr(batch, mixer)(1.0).signal != batch.signal


@pytest.mark.parametrize("mixer", MIXERS)
def test_numbers_as_targets_are_mixed_as_numbers(mixer) -> None:
    batch = flat(6, targets=np.arange(6.0) * 10)
    done = getattr(batch, mixer)(1.0)
    # The target is ten times the value of the samples, and so it stays of their mean.
    np.testing.assert_allclose(done.target, 10 * done.signal.dense()[:, 0].mean(axis=-1), rtol=1e-4, atol=1e-4)
    assert done.target.dtype == np.float32
    assert not np.array_equal(done.target, batch.target)


@pytest.mark.parametrize("mixer", MIXERS)
def test_the_targets_of_a_mixture_add_up_and_its_own_side_is_the_larger(mixer) -> None:
    batch = flat(6).binarize_labels()
    for seed in range(5):
        done = getattr(batch.replace(seed=seed), mixer)(1.0)
        np.testing.assert_allclose(done.target.sum(axis=1), 1, atol=1e-6)
        assert (done.target[np.arange(6), np.arange(6) % 2] >= 0.5 - 1e-6).all()


@pytest.mark.parametrize("mixer", MIXERS)
def test_a_mixture_does_not_write_into_the_batch_that_it_came_from(mixer) -> None:
    batch = flat(6).binarize_labels()
    before, target = batch.signal.data.copy(), batch.target.copy()
    getattr(batch, mixer)(1.0)
    assert np.array_equal(batch.signal.data, before)
    assert np.array_equal(batch.target, target)
