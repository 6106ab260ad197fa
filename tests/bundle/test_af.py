"""The bundles for fibrillation: the same numbers from a file and an array, no framework, no answer where there is none.

The records are of the folds that it was trained on: what is tested is that it works, and its scores are in its card.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cardioflow
from cardioflow import EcgDataset

FIBRILLATION = ("A00015", "A00247", "A00925", "A00982", "A01052", "A01267", "A01662", "A01711")
NORMAL = ("A00044", "A00113", "A00179", "A00262", "A00347", "A00386", "A00543", "A00596")


@pytest.fixture(scope="module")
def af():
    return cardioflow.load("af")


def test_it_tells_fibrillation_from_normal_rhythm(af, cinc) -> None:
    found = af.predict([cinc / f"{name}.hea" for name in (*FIBRILLATION, *NORMAL)])
    labels = [own.labels for own in found]
    # One of the former is too noisy to be judged, and one is taken for another rhythm.
    assert labels[: len(FIBRILLATION)].count(("A",)) >= len(FIBRILLATION) - 2
    assert labels[len(FIBRILLATION) :].count(("N",)) >= len(NORMAL) - 1
    for own in found:
        if own.reasons:
            continue
        assert sum(own.probabilities.values()) == pytest.approx(1)
        assert own.prediction_set


def test_its_numbers_are_those_of_the_release_that_was_scored(af, cinc) -> None:
    # Other features or filters below it would be another model than the one of the scores on its card.
    assert af.description.release == "1.0.1"
    (found,) = af.predict(cinc / "A00247.hea")
    expected = {"A": 0.775300, "N": 0.122353, "O": 0.100919, "~": 0.001428}
    assert found.probabilities == pytest.approx(expected, abs=2e-3)
    assert found.prediction_set == ("A",)


def test_the_card_has_the_scores_of_the_test_fold_first_and_says_which_they_are(af) -> None:
    first = af.description.card.scores[0]
    assert (first.metric, first.n) == ("mean F1", 1704)
    assert first.low < first.value < first.high
    assert f"mean F1 {first.value:.4g}" in str(af.card)
    assert "[fold 4, not trained on, scored once]. mean F1 0.8545" in str(af.card)
    assert "[folds 0, 1, 2, 3, each left out once (development)]" in str(af.card)


def test_an_array_and_other_leads_of_a_file_give_the_same_numbers(af, cinc) -> None:
    path = cinc / f"{FIBRILLATION[0]}.hea"
    batch = EcgDataset({"r": path}).next_batch(1).load(components=["signal", "meta"])
    x = batch.signal[0]
    expected = af.predict(path)[0].probabilities
    one = af.predict(x, fs=300, leads=["I"])[0]
    noise = np.random.default_rng(0).normal(size=x.shape)
    two = af.predict(np.concatenate([noise, x]), fs=300, leads=["V3", "I"])[0]
    for own in (one, two):
        assert own.probabilities == pytest.approx(expected, abs=1e-6)
    assert not one.notes


def test_it_does_not_answer_where_there_is_no_ecg(af) -> None:
    rng = np.random.default_rng(0)
    for x, code in (
        (rng.normal(0, 0.2, (1, 9000)), "noise"),
        (np.zeros((1, 9000)), "flat"),
        (rng.normal(0, 0.2, (1, 900)), "too_short"),
    ):
        found = af.predict(x, fs=300, leads=["I"])[0]
        assert found.labels == ()
        assert code in [reason.code for reason in found.reasons]
    unknown = af.predict(rng.normal(0, 0.2, (1, 9000)), fs=300, leads=["RESP"])[0]
    assert [reason.code for reason in unknown.reasons] == ["no_known_lead"]


def test_the_design_of_cardio_tells_fibrillation_from_all_else_with_two_classes(cinc) -> None:
    bundle = cardioflow.load("af_dirichlet")
    found = bundle.predict([cinc / f"{name}.hea" for name in (*FIBRILLATION, *NORMAL)])
    judged = [own for own in found if own.judged]
    assert len(judged) == 15
    assert {tuple(own.probabilities) for own in judged} == {("A", "NO")}
    # Two with fibrillation are missed, one of them by a hair (0.496).
    assert [own.labels for own in found[:8]].count(("A",)) == 5
    assert [own.labels for own in found[8:]] == [("NO",)] * 8
    # What the Keras network gives for the first record.
    assert found[0].probabilities["A"] == pytest.approx(0.367683, abs=1e-5)


def test_predicting_loads_no_framework(cinc) -> None:
    path = cinc / f"{NORMAL[0]}.hea"
    program = (
        "import sys, cardioflow\n"
        f"assert len(cardioflow.load('af').predict({str(path)!r})) == 1\n"
        "loaded = {'torch', 'keras', 'jax', 'tensorflow', 'sklearn', 'onnx'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_files_fit_into_three_megabytes() -> None:
    from cardioflow.bundle.shipped_bundles import shipped_path

    folder = Path(str(shipped_path("af")))
    assert sum(path.stat().st_size for path in folder.iterdir()) < 3_000_000
