"""What settings may be, in which order a grid goes through them, and what a search makes of results."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cardioflow.errors import CheckpointError, ConfigError, InputError
from cardioflow.experiments import Experiment, Uniform, Whole
from cardioflow.experiments.results import Outcome, Results
from cardioflow.experiments.search import Search
from cardioflow.experiments.space import checked_space, grid


def outcome(trial: int = 0, repetition: int = 0, *, config: Any = None, scores: Any = None, error: str = "") -> Outcome:
    return Outcome(
        trial=trial,
        repetition=repetition,
        seed=repetition,
        config={"x": 1} if config is None else config,
        scores={"auc": 0.5} if scores is None else scores,
        status="failed" if error else "done",
        error=error,
        started="2026-11-27T00:00:00+00:00",
        seconds=1.5,
        commit="",
        data="",
    )


# -- the grid ---------------------------------------------------------------------


def test_a_grid_changes_the_last_setting_first() -> None:
    found = list(grid(checked_space({"a": [1, 2], "b": ["x", "y", "z"]})))
    assert [(c["a"], c["b"]) for c in found] == [(1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z")]


def test_a_grid_over_single_values_is_one_configuration() -> None:
    assert list(grid(checked_space({"a": [None], "b": [[]]}))) == [{"a": None, "b": []}]


def test_a_value_that_stands_twice_in_a_list_is_run_twice() -> None:
    assert [c["a"] for c in grid(checked_space({"a": [1, 1]}))] == [1, 1]


def test_a_list_that_is_changed_afterwards_does_not_change_the_space() -> None:
    values = [1, 2]
    space = checked_space({"a": values})
    values.append(3)
    assert space == {"a": (1, 2)}


@pytest.mark.parametrize("space", [{}, [], None, "lr", [("lr", [1])]])
def test_a_space_without_settings_is_refused(space: Any) -> None:
    with pytest.raises(ConfigError, match=r"expected the values of each setting, as in \{'lr': \[1e-3, 1e-2\]\}"):
        checked_space(space)


@pytest.mark.parametrize("values", [[], (), 3, "ab", {1, 2}, range(3), np.arange(3)])
def test_values_that_are_not_a_list_are_refused_with_the_setting(values: Any) -> None:
    # A text would be taken for its letters, a set has no order, and an array no types.
    with pytest.raises(ConfigError, match=r"The space of 'lr' is .*; expected a list of values, Uniform"):
        checked_space({"lr": values})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Uniform(1, 1), "expected low below high"),
        (lambda: Uniform(2, 1), "expected low below high"),
        (lambda: Uniform(0, 1, log=True), "expected low below high, above 0 with log"),
        (lambda: Whole(-1, 5, log=True), "expected low below high, above 0 with log"),
        (lambda: Uniform(0, math.inf), "high is not a finite number"),
        (lambda: Uniform(math.nan, 1), "low is not a finite number"),
        (lambda: Uniform(True, 2), "low is not a finite number"),
        (lambda: Whole(1, 2.0), "high is not a whole number"),
        (lambda: Whole("1", 2), "low is not a whole number"),
    ],
)
def test_ranges_without_numbers_in_them_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make()


@pytest.mark.parametrize("values", [Uniform(0, 1), Whole(1, 3)])
def test_a_grid_over_a_range_names_the_setting(values: Any) -> None:
    with pytest.raises(ConfigError, match=r"The space of 'b' is a range, which no grid covers\. Pass n_trials="):
        list(grid(checked_space({"a": [1], "b": values})))


# -- the search -------------------------------------------------------------------


def drawn(space: Any, n: int = 60, seed: int = 0) -> list[dict[str, Any]]:
    search = Search(checked_space(space), "maximize", seed)
    return [search.next_config(number) for number in range(n)]


def test_a_whole_number_is_drawn_with_both_of_its_ends_and_nothing_beyond() -> None:
    found = [c["n"] for c in drawn({"n": Whole(2, 4)})]
    assert set(found) == {2, 3, 4}
    assert {type(n) for n in found} == {int}


def test_a_range_by_its_logarithm_is_as_often_below_its_geometric_mean_as_above() -> None:
    found = np.array([c["lr"] for c in drawn({"lr": Uniform(1e-4, 1, log=True)}, 200)])
    assert found.min() >= 1e-4
    assert found.max() <= 1
    assert 70 < (found < 1e-2).sum() < 130
    plain = np.array([c["lr"] for c in drawn({"lr": Uniform(1e-4, 1)}, 200)])
    assert (plain < 1e-2).sum() < 12


def test_a_configuration_follows_from_the_seed_and_the_number_of_the_trial() -> None:
    space = {"a": Uniform(0, 1), "b": [1, 2, 3]}
    assert drawn(space, 5) == drawn(space, 8)[:5]
    assert drawn(space, 5, seed=1) != drawn(space, 5)


def test_values_of_a_list_come_as_they_are() -> None:
    values = [None, True, 1, 1.0, (1, 2), [3], {"a": 1}]
    found = [c["x"] for c in drawn({"x": values}, 120)]
    assert {(type(v), repr(v)) for v in found} == {(type(v), repr(v)) for v in values}


@pytest.mark.parametrize("values", [[math.nan, 1.0], [-0.0, 0.0], [1, 1.0, True], [(1,), [1]], [np.int64(1), 1]])
def test_a_result_counts_for_the_value_that_it_was_made_with(values: list[Any]) -> None:
    # Values that are equal, or that are not even equal to themselves.
    search = Search(checked_space({"x": values}), "maximize", 0)
    for number, value in enumerate(values):
        search.tell({"x": value}, float(number))
    assert [t.params["x"] for t in search._study.trials] == list(range(len(values)))


def test_a_search_over_missing_values_goes_on_after_it_was_stopped(tmp_path: Path) -> None:
    def score(config: dict[str, Any], seed: int) -> dict[str, float]:
        return {"s": 1.0 if math.isnan(config["x"]) else 0.0}

    def study(n: int) -> Experiment:
        return Experiment(score, {"x": [math.nan, 1.0]}, tmp_path, n_trials=n, score="s")

    study(2).run()
    assert len(study(6).run()["trial"]) == 6
    assert math.isnan(study(6).best()["x"])


def test_a_search_learns_which_value_is_better() -> None:
    search = Search(checked_space({"x": ["bad", "good"]}), "minimize", 0)
    found = []
    for number in range(60):
        config = search.next_config(number)
        found.append(config["x"])
        search.tell(config, 0.0 if config["x"] == "good" else 1.0)
    assert found[30:].count("good") > 20


def test_failed_trials_are_not_taken_for_good_ones() -> None:
    search = Search(checked_space({"x": ["fails", "works"]}), "maximize", 0)
    for number in range(30):
        config = search.next_config(number)
        search.tell(config, None if config["x"] == "fails" else -5.0)
    assert search._study.best_value == -5.0
    assert search._study.best_params == {"x": 1}


# -- the table --------------------------------------------------------------------


def test_settings_and_scores_that_some_runs_lack_are_empty_there(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(outcome(0, config={"x": 1}, scores={"auc": 0.75}))
    results.add(outcome(1, config={"x": 2, "y": "a"}, scores={}, error="ValueError: no"))
    table = results.table()
    assert table["config.y"] == [None, "a"]
    assert table["score.auc"] == [0.75, None]
    assert table["status"] == ["done", "failed"]
    frame = pd.read_csv(tmp_path / "results.csv")
    assert frame["score.auc"].isna().tolist() == [False, True]
    assert pq.read_table(tmp_path / "results.parquet")["score.auc"].to_pylist() == [0.75, None]


def test_rows_are_in_the_order_of_trials_and_repetitions_whatever_was_finished_first(tmp_path: Path) -> None:
    results = Results(tmp_path)
    for trial, repetition in ((1, 1), (0, 1), (1, 0), (0, 0)):
        results.add(outcome(trial, repetition))
    for table in (results.table(), Results(tmp_path).table()):
        assert list(zip(table["trial"], table["repetition"], strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        (list(np.arange(2)), [0, 1]),
        ([np.float32(0.5), np.float64(0.25)], [0.5, 0.25]),
        ([np.True_, np.False_], [True, False]),
        ([np.str_("a"), "b"], ["a", "b"]),
        ([(1, 2), None], ["(1, 2)", None]),
    ],
)
def test_numbers_of_numpy_are_numbers_in_the_table(tmp_path: Path, values: list[Any], cells: list[Any]) -> None:
    table = Experiment(lambda config, seed: {"s": 1.0}, {"x": values}, tmp_path).run()
    assert table["config.x"] == cells
    assert [type(cell) for cell in table["config.x"]] == [type(cell) for cell in cells]


def test_a_column_of_whole_numbers_and_fractions_is_one_of_floats_and_a_mixed_one_is_text(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(outcome(0, config={"a": 1, "b": 1, "c": True}))
    results.add(outcome(1, config={"a": 0.5, "b": "x", "c": False}))
    found = pq.read_table(tmp_path / "results.parquet")
    assert found["config.a"].to_pylist() == [1.0, 0.5]
    assert found["config.b"].to_pylist() == ["1", "x"]
    assert found["config.c"].to_pylist() == [True, False]


@pytest.mark.parametrize("score", [math.inf, -math.inf, math.nan, 1e-320])
def test_scores_that_are_not_finite_survive_the_file(tmp_path: Path, score: float) -> None:
    Results(tmp_path).add(outcome(scores={"auc": score}))
    (found,) = Results(tmp_path).table()["score.auc"]
    assert found == score or (math.isnan(found) and math.isnan(score))


def test_a_damaged_result_names_its_file_and_what_to_do(tmp_path: Path) -> None:
    Results(tmp_path).add(outcome(3, 1))
    path = tmp_path / "runs" / "00003-001.json"
    for damaged in (path.read_text()[:40], "[]", "{}", "null"):
        path.write_text(damaged)
        with pytest.raises(CheckpointError, match=r"00003-001\.json is damaged: .*Delete it to repeat that run"):
            Results(tmp_path)


# -- the best ---------------------------------------------------------------------


def test_the_best_is_by_the_mean_over_repetitions_and_a_score_that_is_not_a_number_never_wins(tmp_path: Path) -> None:
    # The means are 0.5, 0.6 and NaN; the best single run is the first.
    scores = {("a", 0): 1.0, ("a", 1): 0.0, ("b", 0): 0.6, ("b", 1): 0.6, ("c", 0): 0.9, ("c", 1): math.nan}

    def known(config: dict[str, Any], seed: int) -> dict[str, float]:
        return {"auc": scores[config["x"], seed]}

    study = Experiment(known, {"x": ["a", "b", "c"]}, tmp_path, repetitions=2)
    study.run()
    assert study.best("auc") == {"x": "b"}
    assert Experiment(known, {"x": ["a", "b", "c"]}, tmp_path, repetitions=2, direction="minimize").best("auc") == {
        "x": "a"
    }
    with pytest.raises(InputError, match=r"best\('f1'\): no configuration has this score in all of its 2 repetitions"):
        study.best("f1")


def test_of_equal_means_the_first_configuration_is_the_best(tmp_path: Path) -> None:
    for direction in ("maximize", "minimize"):
        study = Experiment(lambda c, s: {"auc": 0.5}, {"x": [3, 1, 2]}, tmp_path / direction, direction=direction)
        study.run()
        assert study.best("auc") == {"x": 3}
