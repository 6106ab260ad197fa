"""Random numbers from keys: the published generator, numbers that never change, and no relation between streams."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest
import scipy.stats

from cardioflow.core.random_keys import generator, record_keys, segment_keys, stream_keys, uniform

IDS = [f"A{k:05d}" for k in range(1, 4001)]


def test_numbers_of_a_key_are_those_of_splitmix64():
    # The first outputs of Vigna's splitmix64.c for the state 1234567.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431,
                 16408922859458223821]  # fmt: skip
    found = uniform(np.array([1234567], np.uint64), 5)[0]
    assert found.tolist() == [(bits >> 11) * 2.0**-53 for bits in published]


def test_the_key_of_a_record_is_the_hash_of_its_id():
    for name in ("A00001", "", "Müller/12", "x" * 1000):
        expected = int.from_bytes(blake2b(name.encode("utf-8"), digest_size=8).digest(), "little")
        assert record_keys([name]).tolist() == [expected]
    assert record_keys([]).shape == (0,)
    assert record_keys(["a"]).dtype == np.uint64


def test_keys_are_the_same_in_every_version():
    # Written down: a run that is repeated with a later version draws what it drew.
    key = record_keys(["A00001"])
    assert key.tolist() == [5108325747063962490]
    step = "random_split_signals#0"
    assert stream_keys(key, seed=0, epoch=0, step=step).tolist() == [4556763109004287327]
    assert stream_keys(key, seed=7, epoch=3, step=step).tolist() == [1697131223270517487]
    segments = [10730587335325501466, 3553613040539538098, 7291568880030114239]
    assert segment_keys(key.repeat(3), np.array([0, 1, 2])).tolist() == segments
    assert uniform(key, 2)[0].tolist() == [0.5578895906810994, 0.719836549124362]
    assert generator(key[0]).random(2).tolist() == [0.6597390158780134, 0.7349626793562374]


@pytest.mark.parametrize("other", [{"seed": 1}, {"epoch": 1}, {"step": "b#0"}, {"step": "a#1"}])
def test_another_seed_epoch_or_step_has_unrelated_numbers(other):
    keys = record_keys(IDS)
    one = uniform(stream_keys(keys, seed=0, epoch=0, step="a#0"), 1)[:, 0]
    two = uniform(stream_keys(keys, **{"seed": 0, "epoch": 0, "step": "a#0", **other}), 1)[:, 0]
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(len(IDS))
    assert (one != two).all()


def test_negative_seeds_and_seeds_that_look_like_epochs_are_streams_of_their_own():
    keys = record_keys(IDS[:5])
    made = [
        tuple(stream_keys(keys, seed=seed, epoch=epoch, step="a#0").tolist())
        for seed, epoch in ((1, 11), (11, 1), (-1, 1), (1, 1), (0, 0), (2**63, 0))
    ]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_numbers_are_uniform_over_records_and_over_draws(n):
    found = uniform(stream_keys(record_keys(IDS), seed=3, epoch=2, step="noise#0"), n)
    assert found.shape == (len(IDS), n)
    assert found.dtype == np.float64
    assert ((found >= 0) & (found < 1)).all()
    assert scipy.stats.kstest(found.reshape(-1), "uniform").pvalue > 1e-4
    for column in found.T:
        assert scipy.stats.kstest(column, "uniform").pvalue > 1e-4
    if n > 1:
        assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 4 / np.sqrt(len(IDS))


def test_a_record_draws_the_same_whichever_others_are_drawn_with_it():
    keys = record_keys(IDS)
    every = uniform(stream_keys(keys, seed=1, epoch=0, step="a#0"), 4)
    some = np.array([5, 3999, 17])
    np.testing.assert_array_equal(uniform(stream_keys(keys[some], seed=1, epoch=0, step="a#0"), 4), every[some])
    np.testing.assert_array_equal(uniform(keys[:2], 9)[:, :3], uniform(keys[:2], 3))


def test_ids_and_segments_have_keys_of_their_own():
    keys = record_keys(IDS)
    assert np.unique(keys).size == keys.size
    segments = np.concatenate([segment_keys(keys, np.full(keys.size, k)) for k in range(5)])
    assert np.unique(np.concatenate([segments, keys])).size == 6 * keys.size, "segment 0 is not the record itself"
    # Draws of a record in an epoch are told apart by negative numbers.
    again = np.concatenate([segment_keys(keys[:50], np.full(50, -k)) for k in range(1, 4)])
    assert np.unique(np.concatenate([again, segments])).size == again.size + segments.size


def test_neighbouring_keys_have_generators_without_relation():
    draws = np.array([generator(key).standard_normal(200) for key in range(40)])
    together = np.corrcoef(draws)
    assert np.abs(together[np.triu_indices(40, 1)]).max() < 5 / np.sqrt(200)
    np.testing.assert_array_equal(generator(np.uint64(2**64 - 1)).random(3), generator(2**64 - 1).random(3))
