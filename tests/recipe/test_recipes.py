"""Recipes: read and checked, carried out on real records, gone on with, and scored once."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import cardioflow
from cardioflow.cli.app import app
from cardioflow.errors import ConfigError
from cardioflow.recipe import read_recipe
from cardioflow.recipe.folds import FoldedRecords
from cardioflow.recipe.graphs import graph_of
from cardioflow.recipe.scoring import class_f1, mean_f1
from cardioflow.recipe.training import Training, _without_limits

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CARDIOFLOW_DATA", "")) / "cinc2017"
needs_records = pytest.mark.skipif("CARDIOFLOW_DATA" not in os.environ, reason="needs the CinC 2017 sample")

SMALL = {
    "cardioflow_recipe": 1,
    "name": "small",
    "limits": {"shortest_s": 3600},
    "data": {"table": "table.csv", "classes": ["A", "N", "O"], "train": [0, 1], "test": [2], "fmt": "wfdb"},
    "members": [
        {
            "name": "network",
            "model": "residual_gru",
            "config": {"channels": [8, 8, 16], "n_blocks": 1, "n_units": 8, "leads": "any", "units": "any"},
            "prepare": [{"resample_signals": 100}, "standardize"],
            "augment": [{"random_speed": [0.9, 1.1]}, {"random_crop_signals": 1000}],
            "cut": [{"pad_signals": {"length": 1000, "side": "left"}}, {"split_signals": [1000, 1000]}],
            "batch_size": 8,
            "activation": "softmax",
            "stored": "int8",
            "learning_rate": {"one_cycle": 0.002},
            "weight_average": 0.9,
            "evaluate_every": 1,
        },
        {
            "name": "features",
            "model": "features_gbm",
            "config": {"n_iterations": 10, "least_records": 2},
            "prepare": [{"calc_features": [["rhythm", "quality"]]}],
            "component": "features",
            "ensemble": False,
        },
    ],
}


def written(folder: Path, **changes) -> Path:
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}, sort_keys=False))
    return path


def records(folder: Path) -> FoldedRecords:
    recipe = read_recipe(written(folder))
    return FoldedRecords.read(recipe.data, DATA, folder / "table.csv")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipe")
    labels = dict(line.split(",") for line in (DATA / "REFERENCE.csv").read_text().split())
    some = [n for label in "ANO" for n in [n for n in sorted(labels) if labels[n] == label][:12]]
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["record", "label", "fold"])
        writer.writerows([n, labels[n], k % 3] for k, n in enumerate(some))
    said: list[str] = []
    outcome = Training(read_recipe(written(folder)), records(folder), folder / "out", said.append).run()
    return folder, outcome, said


@needs_records
def test_members_are_trained_once_without_each_fold_and_written_as_a_bundle(trained) -> None:
    folder, outcome, said = trained
    assert said[:2] == ["network: training without fold 0", "network: training without fold 1"]
    assert {row.what for row in outcome.rows} == {
        "network, out of fold",
        "features, out of fold",
        "mixed and calibrated, out of fold",
    }
    assert all(row.n == 24 for row in outcome.rows)
    bundle = cardioflow.load(folder / "out" / "bundle")
    assert bundle.classes == ("A", "N", "O")
    names = [member.name for member in bundle.description.members]
    expected = ["network-without-0", "network-without-1"] if outcome.chosen.weights["network"] else []
    assert names == [*expected, *(["features-all"] if outcome.chosen.weights["features"] else [])]
    path = records(folder).files[outcome_record(folder)]
    assert [reason.code for reason in bundle.predict(path)[0].reasons] == ["too_short"]
    found = _without_limits(bundle, folder / "out" / "bundle").predict(path)[0]
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert set(found.prediction_set) <= {"A", "N", "O"}
    assert bundle.description.card.scores[0].value == pytest.approx(outcome.rows[-1].mean_f1)


@needs_records
def test_a_left_out_fold_is_predicted_by_the_graph_that_did_not_see_it(trained) -> None:
    folder, _, _ = trained
    kept = json.loads((folder / "out" / "out_of_fold.json").read_text())
    assert len(set(kept["records"])) == 24
    assert sorted(set(kept["folds"])) == [0, 1]
    own = json.loads((folder / "out" / "network-without-1-predicts-1.json").read_text())
    known = records(folder)
    assert {known.folds[name] for name in own} == {1}
    row = kept["records"].index(next(iter(own)))
    np.testing.assert_allclose(kept["members"]["network"][row], next(iter(own.values())), atol=1e-6)


@needs_records
def test_the_same_command_trains_nothing_again_and_another_recipe_is_refused(trained) -> None:
    folder, outcome, _ = trained
    models = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*.model")}
    again = Training(read_recipe(written(folder)), records(folder), folder / "out").run()
    assert {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*.model")} == models
    assert again.rows == outcome.rows
    longer = [{**SMALL["members"][0], "epochs": 2}, SMALL["members"][1]]
    with pytest.raises(ConfigError, match="holds the results of another recipe: member network changed"):
        Training(read_recipe(written(folder, members=longer)), records(folder), folder / "out")


@needs_records
def test_the_test_folds_are_scored_once(trained) -> None:
    folder, _, _ = trained
    training = Training(read_recipe(written(folder)), records(folder), folder / "out")
    row = training.run(score=True).rows[-1]
    assert row.what == "test folds, scored once"
    # All of them, although the limits of the bundle would refuse each.
    assert row.n == 12
    path = folder / "out" / "test_score.json"
    before = path.stat().st_mtime_ns
    assert training.run(score=True).rows[-1] == row
    assert path.stat().st_mtime_ns == before
    # The card has them first, with how often the sets hold the label, and the development scores after them.
    scores = cardioflow.load(folder / "out" / "bundle").description.card.scores
    assert (scores[0].value, scores[0].n) == (row.mean_f1, 12)
    held = [own for own in scores if own.metric == "coverage of the set"]
    assert [own.label for own in held] == ["A", "N", "O"]
    assert sum(own.n for own in held) == 12
    assert all(own.low <= own.value <= own.high for own in held)
    assert [own.on.endswith("(development)") for own in scores] == sorted(
        own.on.endswith("(development)") for own in scores
    )


@needs_records
def test_the_command_prints_the_table_and_names_what_is_missing(trained) -> None:
    folder, outcome, _ = trained
    table = ["--table", str(folder / "table.csv"), "--out", str(folder / "out")]
    done = CliRunner().invoke(app, ["train", str(written(folder)), "--data", str(DATA), *table])
    assert done.exit_code == 0
    assert str(outcome) in done.stdout
    assert "| mixed and calibrated, out of fold | 24 |" in done.stdout
    lacking = CliRunner().invoke(app, ["train", str(folder / "none.yaml"), "--data", str(DATA), *table])
    assert "The recipe" in str(lacking.exception)
    assert "cannot be read: No such file" in str(lacking.exception)


@needs_records
def test_weights_of_one_byte_change_probabilities_by_little(trained) -> None:
    import onnxruntime

    folder, _, _ = trained
    recipe = read_recipe(written(folder))
    training = Training(recipe, records(folder), folder / "out")._member(recipe.members[0])
    model = training.load(folder / "out" / "network-without-0.model")
    x = np.random.default_rng(0).normal(size=(4, 1, 1000)).astype(np.float32)
    graphs = [graph_of(model, stored)[0] for stored in ("float32", "float16", "int8")]
    assert len(graphs[0]) > len(graphs[1]) > len(graphs[2])
    answers = [onnxruntime.InferenceSession(own).run(None, {"signal": x})[0] for own in graphs]
    np.testing.assert_allclose(answers[1], answers[0], atol=2e-3)
    np.testing.assert_allclose(answers[2], answers[0], atol=0.02)
    own = model.predict_on_batch(_batch(x))
    raised = np.exp(answers[0] - answers[0].max(axis=1, keepdims=True))
    np.testing.assert_allclose(raised / raised.sum(axis=1, keepdims=True), own, atol=1e-5)


def outcome_record(folder: Path) -> str:
    return json.loads((folder / "out" / "out_of_fold.json").read_text())["records"][0]


def _batch(x):
    from cardioflow.batch import EcgBatch, Meta, Ragged

    meta = Meta.from_rows([{"fs": 100.0, "leads": ("I",)}] * len(x))
    return EcgBatch(ids=tuple(map(str, range(len(x)))), signal=Ragged.from_arrays(list(x)), meta=meta)


@pytest.mark.parametrize("name", ["af.yaml", "af_dirichlet.yaml"])
def test_the_recipes_of_the_repository_can_be_read(name) -> None:
    recipe = read_recipe(ROOT / "recipes" / name)
    assert not set(recipe.data.test) & set(recipe.data.train)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"membrs": []}, "Entry 'membrs' is not known. Did you mean 'members'"),
        ({"members": []}, "Entry 'members' is .*; expected a list of at least one member"),
        ({"data": {**SMALL["data"], "test": [1]}}, r"Entry 'data.test' is \(1,\); expected folds that are not trained"),
        ({"data": {"table": "t.csv"}}, "Entry 'data.classes' is missing"),
        ({"metric_labels": ["Q"]}, r"Entry 'metric_labels' is \('Q',\); expected some of A, N, O"),
        ({"weights": {"network": 1.0}}, "Entry 'weights' is .*; expected a number from 0 on for each member"),
        (
            {"members": [{**SMALL["members"][0], "prepare": ["standardise"]}]},
            r"Entry 'members\[0\].prepare\[0\]' is not a step: .*standardize",
        ),
        ({"members": [{**SMALL["members"][0], "model": "residual_gnu"}]}, "There is no model 'residual_gnu'"),
        ({"members": [{**SMALL["members"][0], "config": {"chanels": [8]}}]}, "has 'chanels'"),
        ({"members": [{**SMALL["members"][0], "epochs": 0}]}, r"Entry 'members\[0\].epochs' is 0; expected a whole"),
        ({"cardioflow_recipe": 2}, "is not a recipe of version 1. Update CardioFlow"),
        ({"cardioflow_recipe": None}, "Begin the file with 'cardioflow_recipe: 1'"),
    ],
)
def test_a_faulty_recipe_is_refused_with_the_entry(tmp_path, changes, text) -> None:
    with pytest.raises(ConfigError, match=text):
        read_recipe(written(tmp_path, **changes))


def test_yaml_that_would_run_code_is_refused(tmp_path) -> None:
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(ConfigError, match="is not valid YAML"):
        read_recipe(tmp_path / "evil.yaml")


def test_records_without_a_file_or_a_fold_are_named(tmp_path) -> None:
    recipe = read_recipe(written(tmp_path))
    table = tmp_path / "table.csv"
    table.write_text("record,label,fold\nR1,A,0\nR2,N,x\n")
    with pytest.raises(ConfigError, match="has the fold 'x' for record 'R2'; expected a whole number"):
        FoldedRecords.read(recipe.data, tmp_path, table)
    table.write_text("record,label,fold\nR1,A,0\nR2,N,1\n")
    with pytest.raises(ConfigError, match=r"2 of the 2 records of .* have no file in .*'R1.hea'"):
        FoldedRecords.read(recipe.data, tmp_path, table)
    table.write_text("record,label\n")
    with pytest.raises(ConfigError, match="has no column 'fold', but record, label"):
        FoldedRecords.read(recipe.data, tmp_path, table)


def test_the_score_is_the_mean_f1_of_the_labels_that_count() -> None:
    # A: 1 hit, 2 true, 1 said. N: 2 hits, 2 true, 3 said. ~: 1 of 1.
    y, answer = np.array([0, 0, 1, 1, 3]), np.array([0, 1, 1, 1, 3])
    np.testing.assert_allclose(class_f1(y, answer, 4), [2 / 3, 4 / 5, np.nan, 1])
    assert mean_f1(("A", "N", "O", "~"), ("A", "N"))(y, answer) == pytest.approx((2 / 3 + 4 / 5) / 2)
