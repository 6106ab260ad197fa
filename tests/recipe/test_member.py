"""A member is trained once for each fold that is left out, and what was done is not done again."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cardioflow.errors import ConfigError
from cardioflow.recipe.description import MemberRecipe
from cardioflow.recipe.folds import FoldedRecords
from cardioflow.recipe.member import MemberTraining

FEATURES = MemberRecipe(
    name="trees",
    model="features_gbm",
    config={"n_iterations": 5, "least_records": 2},
    prepare=({"calc_features": (("rhythm", "quality"),)},),
    component="features",
)


@pytest.fixture(scope="module")
def records(cinc: Path) -> FoldedRecords:
    """Twelve records of A and N in three folds."""
    labels = dict(csv.reader((cinc / "REFERENCE.csv").read_text().splitlines()))
    names = [n for label in "AN" for n in [n for n in sorted(labels) if labels[n] == label][:6]]
    return FoldedRecords(
        {n: cinc / f"{n}.hea" for n in names},
        {n: labels[n] for n in names},
        {n: k % 3 for k, n in enumerate(names)},
        ("A", "N"),
    )


def member(records: FoldedRecords, folder: Path, recipe: MemberRecipe = FEATURES) -> MemberTraining:
    return MemberTraining(recipe, records, "wfdb", (), folder / "prepared", folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("member")


@pytest.fixture(scope="module")
def model(records, folder) -> Path:
    return member(records, folder).train([0, 1], 2)


def test_the_left_out_fold_is_predicted_once_and_by_the_graph_of_the_bundle(records, folder, model):
    own = member(records, folder)
    found = own.predict(model, 2)
    assert set(found) == set(records.names([2]))
    kept = folder / "trees-without-2-predicts-2.json"
    assert {n: len(p) for n, p in json.loads(kept.read_text()).items()} == dict.fromkeys(found, 2)
    for p in found.values():
        assert p.dtype == np.float64
        assert p.sum() == pytest.approx(1, abs=1e-6)
    # The bundle's member is that graph, after the same steps.
    described = own.described(own.file(model), 0.5)
    assert (described.name, described.onnx, described.weight) == ("trees-without-2", "trees-without-2.onnx", 0.5)
    assert [step["name"] for step in json.loads(described.preparation)["steps"]] == ["calc_features"]
    kept.write_text(json.dumps({"somebody": [0.25, 0.75]}))
    assert list(own.predict(model, 2)) == ["somebody"]
    kept.unlink()
    again = own.predict(model, 2)
    assert {n: p.tolist() for n, p in again.items()} == {n: p.tolist() for n, p in found.items()}


def test_a_trained_model_is_not_trained_again(records, folder, model):
    before = model.stat().st_mtime_ns
    assert member(records, folder).train([0, 1], 2) == model
    assert model.stat().st_mtime_ns == before


def test_the_same_training_gives_the_same_predictions_in_another_folder(records, folder, model, tmp_path):
    other = member(records, tmp_path)
    first, second = member(records, folder).predict(model, 2), other.predict(other.train([0, 1], 2), 2)
    assert {n: p.tolist() for n, p in first.items()} == {n: p.tolist() for n, p in second.items()}


def test_a_model_of_all_folds_has_another_name(records, folder, model):
    assert member(records, folder)._stem(None) == "trees-all"
    assert model.name == "trees-without-2.model"


def test_an_activation_that_is_not_that_of_the_graph_is_refused(records, folder, model):
    wrong = MemberRecipe(**{**FEATURES.__dict__, "activation": "softmax"})
    (folder / "trees-without-2.onnx").unlink(missing_ok=True)
    with pytest.raises(ConfigError, match=r"'trees' gives probabilities\. Set its activation to 'none'"):
        member(records, folder, wrong).file(model)
    assert not (folder / "trees-without-2.onnx").exists()


@pytest.mark.parametrize(
    ("n_records", "batch_size", "batches"),
    [(64, 32, 2), (65, 32, 2), (95, 32, 2), (96, 32, 3), (64, 48, 2), (40, 32, 2), (32, 32, 1), (8, 32, 1)],
)
def test_the_left_out_fold_is_scored_after_whole_epochs(records, tmp_path, n_records, batch_size, batches):
    """An epoch of up to two batches keeps a last one that is not full; of more, it is left out."""
    recipe = MemberRecipe(
        name="net", model="residual_gru", prepare=("standardize",), batch_size=batch_size, evaluate_every=2
    )
    evaluate = member(records, tmp_path, recipe)._callbacks(n_records, 0)[0]
    assert evaluate.every == 2 * batches
    # A model of all folds has none that was left out.
    assert [type(own).__name__ for own in member(records, tmp_path, recipe)._callbacks(n_records, None)] == ["CsvLog"]
