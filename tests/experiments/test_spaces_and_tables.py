"""What an experiment chooses from, what it refuses, and what stands in its tables."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from cardioflow.errors import CheckpointError, ConfigError, InputError
from cardioflow.experiments import Experiment, Uniform, Whole
from cardioflow.experiments.results import Outcome, Results
from cardioflow.experiments.search import Search
from cardioflow.experiments.space import checked_space, grid


def outcome(trial: int, repetition: int = 0, scores: dict[str, float] | None = None, **config: Any) -> Outcome:
    """Return the outcome of a run, failed where there are no scores."""
    return Outcome(
        trial=trial, repetition=repetition, seed=repetition, config=config, scores=scores or {},
        status="done" if scores else "failed", error="" if scores else "ValueError: no", started="2026-01-01",
        seconds=1.5, commit="", data="",
    )  # fmt: skip


# -- spaces -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Whole(0.5, 2), "low is not a whole number"),
        (lambda: Whole(0, 2.0), "high is not a whole number"),
        (lambda: Whole(False, 2), "low is not a whole number"),
        (lambda: Uniform("a", "b"), "low is not a finite number"),
        (lambda: Uniform(0, math.inf), "high is not a finite number"),
        (lambda: Uniform(math.nan, 1), "low is not a finite number"),
        (lambda: Uniform(0, None), "high is not a finite number"),
        (lambda: Uniform(2, 1), "expected low below high"),
        (lambda: Whole(0, 8, log=True), "above 0 with log"),
    ],
)
def test_a_range_that_cannot_be_drawn_from_is_refused_when_it_is_written(make, said):
    with pytest.raises(ConfigError, match=said):
        make()


def test_numbers_of_numpy_are_numbers():
    assert Whole(np.int64(1), np.int64(3)).high == 3
    assert Uniform(np.float32(0.5), np.float64(1)).low == 0.5


def test_a_grid_has_every_combination_once_with_the_last_setting_first():
    made = list(grid(checked_space({"a": [1, 2], "b": ["x"], "c": (None, [3], True)})))
    assert made == [{"a": a, "b": "x", "c": c} for a in (1, 2) for c in (None, [3], True)]


@pytest.mark.parametrize("values", [[], (), "ab", 3, None, {"a": 1}, {1, 2}, range(3)])
def test_values_that_are_not_a_list_are_refused_by_the_name_of_their_setting(values):
    with pytest.raises(ConfigError, match=r"The space of 'lr' is .*; expected a list of values"):
        checked_space({"lr": values})


# -- search ------------------------------------------------------------------------------


def _search(n: int, told: int = 0, seed: int = 3) -> list[dict[str, Any]]:
    """Return the configurations of ``n`` trials, the first ``told`` of which are told to a new search."""
    space = checked_space({"x": Uniform(-4, 4), "n": Whole(1, 64, log=True), "kind": ["a", ["b"], 1, 1.0, True]})

    def value(config):
        return -abs(config["x"]) - abs(config["n"] - 8) / 8

    search, found = Search(space, "maximize", seed), []
    for number in range(n):
        config = search.next_config(number)
        found.append(config)
        search.tell(config, value(config) if number % 4 else None)
    if told:
        again = Search(space, "maximize", seed)
        for number, config in enumerate(found[:told]):
            again.tell(config, value(config) if number % 4 else None)
        return [again.next_config(told)]
    return found


def test_a_search_stays_in_its_ranges_and_keeps_the_types_of_values():
    for config in _search(25):
        assert -4 <= config["x"] <= 4
        assert 1 <= config["n"] <= 64
        assert type(config["n"]) is int
        assert type(config["kind"]) in (str, list, int, float, bool)


@pytest.mark.parametrize("told", [1, 7, 16])
def test_a_trial_follows_from_the_results_before_it_alone(told):
    assert _search(told + 1, told=told) == [_search(told + 1)[told]]


def test_another_seed_searches_elsewhere():
    assert _search(3, seed=3) != _search(3, seed=4)


# -- tables ------------------------------------------------------------------------------


def test_the_table_has_a_row_per_run_and_gaps_where_a_run_has_no_value(tmp_path: Path):
    results = Results(tmp_path)
    results.add(outcome(1, scores={"auc": 0.9}, lr=0.1))
    results.add(outcome(0, 1, scores={"auc": 0.5, "f1": 0.4}, lr=0.2, kind=(1, 2)))
    results.add(outcome(0, 0, lr=0.2, kind=(1, 2)))
    table = results.table()
    assert table["trial"] == [0, 0, 1]
    assert table["repetition"] == [0, 1, 0]
    assert table["config.lr"] == [0.2, 0.2, 0.1]
    assert table["config.kind"] == ["(1, 2)", "(1, 2)", None]
    assert table["score.auc"] == [None, 0.5, 0.9]
    assert table["score.f1"] == [None, 0.4, None]
    assert table["status"] == ["failed", "done", "done"]
    assert table["error"] == ["ValueError: no", "", ""]


def test_what_was_written_is_read_again_with_its_types(tmp_path: Path):
    first = Results(tmp_path)
    config = {"lr": 1e-3, "n": 4, "names": ("a", "b"), "sizes": [1, 2], "none": None, "flag": True, "path": Path("x/y")}
    first.add(outcome(0, scores={"auc": 0.25, "loss": math.inf}, **config))
    again = Results(tmp_path).outcomes[0, 0]
    assert again.config == config
    assert {name: type(value) for name, value in again.config.items()} == {n: type(v) for n, v in config.items()}
    assert again.scores == {"auc": 0.25, "loss": math.inf}


def test_both_files_hold_the_same_table(tmp_path: Path):
    results = Results(tmp_path)
    results.add(outcome(0, scores={"auc": 0.1}, size=1, kind="a"))
    results.add(outcome(1, scores={"auc": 1.0}, size=2.5, kind=3))
    with (tmp_path / "results.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    held = pq.read_table(tmp_path / "results.parquet").to_pydict()
    assert [row["score.auc"] for row in rows] == ["0.1", "1.0"]
    assert held["score.auc"] == [0.1, 1.0]
    assert held["config.size"] == [1.0, 2.5], "whole and other numbers are one column of numbers"
    assert held["config.kind"] == ["a", "3"], "a column of two kinds is text"
    assert list(held) == list(rows[0])


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"trial": 0}', '{"trial": 0, "config": 3}'])
def test_a_damaged_run_is_named_with_what_to_do(text, tmp_path: Path):
    Results(tmp_path).add(outcome(0, scores={"auc": 0.1}, x=1))
    path = next((tmp_path / "runs").glob("*.json"))
    path.write_text(text)
    with pytest.raises(CheckpointError, match=r"00000-000\.json is damaged: .*Delete it to repeat that run"):
        Results(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "3", "[1]"])
def test_a_damaged_description_is_named_and_not_a_traceback_of_json(text, tmp_path: Path):
    (tmp_path / "experiment.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"experiment\.json is damaged"):
        Experiment(lambda config, seed: {"a": 1.0}, {"x": [1]}, tmp_path).run()


# -- the best ------------------------------------------------------------------------------


def scored(tmp_path: Path, values: dict[Any, list[float]], **options: Any) -> Experiment:
    """Return a finished experiment whose setting ``x`` had ``values[x]`` in its repetitions."""
    repetitions = len(next(iter(values.values())))
    study = Experiment(
        lambda config, seed: {"auc": values[config["x"]][seed]}, {"x": list(values)}, tmp_path,
        repetitions=repetitions, **options,
    )  # fmt: skip
    study.run()
    return study


def test_the_mean_of_the_repetitions_decides(tmp_path: Path):
    study = scored(tmp_path, {1: [0.9, 0.1], 2: [0.6, 0.6], 3: [0.5, 0.5]})
    assert study.best("auc") == {"x": 2}


def test_the_smallest_wins_where_that_was_asked(tmp_path: Path):
    assert scored(tmp_path, {1: [0.9], 2: [0.2], 3: [0.5]}, direction="minimize").best("auc") == {"x": 2}


def test_a_repetition_that_is_not_a_number_takes_its_configuration_out(tmp_path: Path):
    study = scored(tmp_path, {1: [math.nan, 0.9], 2: [0.3, 0.3], 3: [math.inf, 0.1]})
    assert study.best("auc") == {"x": 2}


def test_a_failed_repetition_takes_its_configuration_out(tmp_path: Path):
    def function(config: dict[str, Any], seed: int) -> dict[str, float]:
        if config["x"] == 1 and seed == 1:
            raise ValueError("no")
        return {"auc": 1.0 if config["x"] == 1 else 0.2}

    study = Experiment(function, {"x": [1, 2]}, tmp_path, repetitions=2, on_error="record")
    table = study.run()
    assert table["status"] == ["done", "failed", "done", "done"]
    assert table["error"][1] == "ValueError: no"
    assert study.best("auc") == {"x": 2}


def test_of_equal_configurations_the_first_is_the_best(tmp_path: Path):
    assert scored(tmp_path, {3: [0.5], 1: [0.5]}).best("auc") == {"x": 3}


@pytest.mark.parametrize("returned", [None, 0.5, [0.5], {"auc": "high"}, {"auc": None}])
def test_what_is_not_numbers_by_name_is_refused_with_what_came(returned, tmp_path: Path):
    study = Experiment(lambda config, seed: returned, {"x": [1]}, tmp_path)
    with pytest.raises(InputError, match="expected numbers by name") as caught:
        study.run()
    assert repr(returned) in str(caught.value)
    assert "trial 0, repetition 0" in caught.value.__notes__[0]
    assert not list((tmp_path / "runs").glob("*.json"))


def test_another_function_space_or_seed_is_told_by_name(tmp_path: Path):
    def first(config: dict[str, Any], seed: int) -> dict[str, float]:
        return {"auc": 1.0}

    def second(config: dict[str, Any], seed: int) -> dict[str, float]:
        return {"auc": 2.0}

    Experiment(first, {"x": [1]}, tmp_path).run()
    for arguments, options, said in (
        ((second, {"x": [1]}), {}, "its function differs"),
        ((first, {"x": [1, 2]}), {}, "its space differs"),
        ((first, {"x": [1]}), {"seed": 1}, "its seed differs"),
        ((second, {"x": [2]}), {}, "its function and space differ"),
    ):
        with pytest.raises(CheckpointError, match=said):
            Experiment(*arguments, tmp_path, **options).run()
    assert json.loads((tmp_path / "experiment.json").read_text())["seed"] is not None
    assert Experiment(first, {"x": [1]}, tmp_path, repetitions=2).run()["seed"] == [0, 1], "more repetitions go on"
