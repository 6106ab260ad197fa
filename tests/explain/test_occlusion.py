"""Hiding parts of a record from models that are formulas, so that every fall can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch
from cardioflow.errors import ConfigError, InputError, ModelError
from cardioflow.explain import Relevance, occlusion

FS = 100


def batch_of(signals, fs=FS, leads=None):
    x = np.asarray(signals, np.float32)
    return EcgBatch.from_arrays(x, fs=fs, leads=leads or ["I", "II", "III"][: x.shape[1]])


def weighted(weights):
    """A model whose class 1 is a weighted sum of the samples, and class 0 its opposite."""

    def predict(rows):
        total = (rows.signal.dense() * weights).sum(axis=(1, 2))
        return np.stack([-total, total], axis=1)

    return predict


def ones(n_records=1, n_leads=2, n=100):
    return batch_of(np.ones((n_records, n_leads, n)))


def test_the_fall_of_a_linear_model_is_the_sum_of_the_weights_that_are_hidden():
    weights = np.random.default_rng(0).normal(size=(2, 100))
    found = occlusion(weighted(weights), ones(), 1, window_s=0.1, step_s=0.1, fill="zero")
    blocks = weights.sum(axis=0).reshape(10, 10).sum(axis=1)
    np.testing.assert_allclose(found.values[0, 0], np.repeat(blocks, 10), atol=1e-4)
    np.testing.assert_array_equal(found.values[0, 0], found.values[0, 1])
    alone = occlusion(weighted(weights), ones(), 1, window_s=0.1, step_s=0.1, fill="zero", per_lead=True)
    by_lead = weights.reshape(2, 10, 10).sum(axis=2)
    np.testing.assert_allclose(alone.values[0], np.repeat(by_lead, 10, axis=1), atol=1e-4)
    np.testing.assert_allclose(alone.values.sum(axis=1), found.values[:, 0], atol=1e-4)


def test_the_opposite_class_has_the_opposite_relevance():
    weights = np.random.default_rng(1).normal(size=(2, 100))
    for_, against = (occlusion(weighted(weights), ones(), k, fill="zero") for k in (1, 0))
    np.testing.assert_allclose(for_.values, -against.values, atol=1e-4)
    assert for_.score[0] == -against.score[0]


def test_by_default_each_records_own_prediction_is_explained():
    weights = np.zeros((1, 100))
    weights[0, 40:60] = 1
    signals = np.stack([np.ones((1, 100)), -np.ones((1, 100))])
    found = occlusion(weighted(weights), batch_of(signals), window_s=0.2, step_s=0.2, fill="zero")
    assert found.target.tolist() == [1, 0]
    np.testing.assert_allclose(found.score, [20, 20])
    np.testing.assert_allclose(found.values[:, 0, 40:60], 20)
    assert np.isnan(found.missing).all()


def test_a_record_is_explained_alike_alone_and_among_others_and_in_any_number_at_once():
    weights = np.random.default_rng(2).normal(size=(2, 100))
    signals = np.random.default_rng(3).normal(size=(3, 2, 100))
    whole = occlusion(weighted(weights), batch_of(signals))
    for size in (1, 7, 1000):
        np.testing.assert_allclose(
            occlusion(weighted(weights), batch_of(signals), batch_size=size).values, whole.values
        )
    for k in range(3):
        np.testing.assert_allclose(
            occlusion(weighted(weights), batch_of(signals[k : k + 1])).values[0], whole.values[k], atol=1e-5
        )


@pytest.mark.parametrize(
    ("n", "window_s", "step_s", "starts"),
    [
        (100, 0.5, 0.5, [0, 50]),
        (100, 0.4, 0.4, [0, 40, 60]),
        (100, 0.3, None, [0, 15, 30, 45, 60, 70]),
        (100, 1.0, 1.0, [0]),
        (7, 0.03, 0.01, [0, 1, 2, 3, 4]),
    ],
    ids=["whole windows", "the last one overlaps", "half a window on", "the record", "sample by sample"],
)
def test_windows_reach_from_the_first_sample_to_the_last(n, window_s, step_s, starts):
    seen = []

    def predict(rows):
        x = rows.signal.dense()
        seen.extend(int(np.argmin(own)) for own in x[:, 0] if own.min() == 0)
        return np.zeros((len(x), 2))

    occlusion(predict, batch_of(np.ones((1, 1, n))), 1, window_s=window_s, step_s=step_s, fill="zero")
    assert seen == starts


def test_a_sample_in_several_windows_has_the_mean_of_their_falls():
    weights = np.zeros((1, 100))
    weights[0, 20] = 1
    found = occlusion(weighted(weights), batch_of(np.ones((1, 1, 100))), 1, window_s=0.2, step_s=0.1, fill="zero")
    # Windows from 0, 10, 20 …; those from 10 and 20 hide sample 20.
    assert found.values[0, 0, 20] == 1.0
    assert found.values[0, 0, 15] == 0.5, "of the windows from 0 and from 10, one"
    assert found.values[0, 0, 35] == 0.5
    assert found.values[0, 0, 5] == found.values[0, 0, 45] == 0


@pytest.mark.parametrize(
    ("fill", "hidden"),
    [("zero", [0, 0, 0]), ("mean", [4.5, 4.5, 4.5]), ("line", [3.0, 4.0, 5.0])],
)
def test_what_stands_in_a_window_by_hand(fill, hidden):
    seen = []

    def predict(rows):
        seen.append(rows.signal.dense().copy())
        return np.zeros((len(rows), 2))

    ramp = np.arange(10, dtype=np.float32)
    bumped = ramp.copy()
    bumped[3:6] += [5, -5, 5]
    occlusion(
        predict, batch_of(bumped[None, None] - (0 if fill != "mean" else 0.5)), window_s=0.03, step_s=0.03, fill=fill
    )
    own = seen[1][1, 0, 3:6]
    expected = np.array(hidden) if fill != "mean" else np.full(3, bumped.mean() - 0.5)
    np.testing.assert_allclose(own, expected, atol=1e-5)
    np.testing.assert_array_equal(seen[1][1, 0, 6:], seen[0][0, 0, 6:], err_msg="outside nothing changes")


def test_the_batch_that_is_explained_is_not_changed():
    given = batch_of(np.random.default_rng(4).normal(size=(2, 2, 100)))
    before = given.signal.dense().copy()
    occlusion(weighted(np.ones((2, 100))), given)
    np.testing.assert_array_equal(given.signal.dense(), before)


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"batch_size": 0}, ConfigError, r"batch_size=0 is not a whole number from 1 on"),
        # A negative one would ask about nothing, and find that nothing matters.
        ({"batch_size": -1}, ConfigError, r"batch_size=-1 is not a whole number from 1 on"),
        ({"batch_size": 2.5}, ConfigError, r"batch_size=2\.5 is not a whole number"),
        ({"fill": "noise"}, ConfigError, r"fill='noise' is not 'line', 'zero' or 'mean'"),
        ({"target": 2}, InputError, r"target=2 is not the number of one of the 2 outputs"),
        ({"target": -1}, InputError, r"target=-1 is not the number"),
        ({"target": 0.5}, InputError, r"target=0\.5 is not the number"),
        ({"target": True}, InputError, r"target=True is not the number"),
        ({"target": "A"}, InputError, r"target='A' is not the number"),
        ({"window_s": 0.001}, InputError, r"window_s=0\.001 is 0 samples"),
        ({"window_s": 2.0}, InputError, r"window_s=2 is 200 samples and step_s=1 100, of 100"),
        ({"window_s": 0.1, "step_s": 0.2}, InputError, r"a step of at least one sample that leaves none out"),
        ({"window_s": float("nan")}, InputError, r"window_s=nan and step_s=nan are not both finite"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(given, error, said):
    with pytest.raises(error, match=said):
        occlusion(weighted(np.ones((2, 100))), ones(), **given)


def test_a_class_may_be_a_number_of_numpy():
    found = occlusion(weighted(np.ones((2, 100))), ones(), np.int64(0))
    assert found.target.tolist() == [0]


@pytest.mark.parametrize(
    ("predict", "error", "said"),
    [
        (lambda rows: np.zeros(len(rows)), ModelError, r"predicts an array of shape \(1,\) for 1 records"),
        (lambda rows: np.zeros((3, 2)), ModelError, r"predicts an array of shape \(3, 2\) for 1 records"),
        (lambda rows: np.zeros((len(rows), 5, 2)), ModelError, r"shape \(1, 5, 2\)"),
        ("a model", InputError, r"A str does not predict\. Pass a model, or a function of a batch"),
    ],
)
def test_what_does_not_predict_a_row_per_record_is_refused(predict, error, said):
    with pytest.raises(error, match=said):
        occlusion(predict, ones())


def test_records_of_other_rates_or_lengths_are_not_explained_together():
    uneven = [np.ones((1, 100), np.float32), np.ones((1, 90), np.float32)]
    with pytest.raises(InputError, match=r"its signals differ in shape"):
        occlusion(weighted(np.ones((1, 100))), EcgBatch.from_arrays(uneven, fs=FS, leads=["I"]))
    with pytest.raises(InputError, match=r"The records have the rates \[100\.0, 200\.0\] Hz"):
        occlusion(weighted(np.ones((1, 100))), EcgBatch.from_arrays(np.ones((2, 1, 100)), fs=[100, 200], leads=["I"]))
    with pytest.raises(InputError, match="The batch is empty"):
        occlusion(weighted(np.ones((1, 100))), ones()[:0])


def test_for_a_plot_the_highest_of_the_leads_counts_from_0_to_1():
    values = np.array([[[1.0, -3.0, 0.0, 2.0], [0.5, 4.0, -1.0, -2.0]], [[-1.0, -2.0, 0.0, -3.0]] * 2])
    found = Relevance(values, np.array([0, 0]), np.ones(2), None, np.zeros(2))
    assert found.for_plot(0).tolist() == [0.25, 1.0, 0.0, 0.5]
    assert found.for_plot(1).tolist() == [0, 0, 0, 0], "where nothing speaks for the class, nothing is drawn"
