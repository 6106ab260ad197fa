"""The shipped network is small, is what its card says, and gives the same numbers in chunks as whole."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from cardioflow.analysis.waves import network
from cardioflow.analysis.waves.network import card, probabilities

FILE = Path(str(files("cardioflow.analysis.waves") / "waves.onnx"))


def test_the_card_is_that_of_the_file():
    told = card()
    assert told["sha256"] == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert told["parameters"] <= 400_000
    assert FILE.stat().st_size < 2_000_000
    assert told["licence"].startswith("Apache-2.0")
    assert any("LUDB" in line and "train part" in line for line in told["data"])
    assert told["training"]["ludb"] == "train"
    assert told["training"]["qtdb"] == "train"


@pytest.fixture(scope="module")
def lead():
    rng = np.random.default_rng(0)
    t = np.arange(40_000) / 250
    return (np.exp(-0.5 * (((t % 0.83) - 0.4) / 0.012) ** 2) + 0.02 * rng.standard_normal(t.size)).astype(np.float32)


def test_probabilities_of_a_sample_sum_to_one(lead):
    p = probabilities(lead[None, :3000])
    assert p.shape == (1, 3000, 4)
    np.testing.assert_allclose(p.sum(axis=2), 1, atol=1e-6)


def test_a_long_lead_in_chunks_gives_the_numbers_of_the_whole(lead):
    whole = network._session().run(None, {"x": lead[None, None]})[0]
    expected = network._softmax(whole)[0].T
    found = probabilities(lead[None])[0]
    np.testing.assert_allclose(found[1000:-1000], expected[1000:-1000], atol=1e-5)


def test_leads_are_judged_each_alone_and_alike_each_time(lead):
    pair = np.stack([lead[:5000], lead[5000:10000]])
    both = probabilities(pair)
    assert np.array_equal(both, probabilities(pair))
    np.testing.assert_allclose(both[1], probabilities(pair[1:])[0], atol=1e-6)


@pytest.mark.parametrize("n", [1, 31, 33, 250])
def test_any_number_of_samples_is_taken(lead, n):
    assert probabilities(lead[None, :n]).shape == (1, n, 4)


def test_no_leads_and_no_samples_have_no_probabilities():
    assert probabilities(np.empty((0, 100), np.float32)).shape == (0, 100, 4)
    assert probabilities(np.empty((2, 0), np.float32)).shape == (2, 0, 4)
