"""Experiments run every configuration once, go on after they were killed, and put everything into one table."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from cardioflow import C, EcgDataset, Pipeline, V
from cardioflow.errors import CheckpointError, ConfigError, InputError
from cardioflow.experiments import Experiment, Uniform, Whole

CALLS: list[tuple[Any, int]] = []


def parabola(config: dict[str, Any], seed: int) -> dict[str, float]:
    """Largest at x = 2; the seed adds a little that depends on nothing else."""
    CALLS.append((config, seed))
    return {"height": 10 - (config["x"] - 2) ** 2 + 0.01 * seed}


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


def test_a_grid_runs_every_combination_with_every_seed(tmp_path: Path) -> None:
    study = Experiment(parabola, {"x": [1, 2], "kind": ["a", None, (1, 2)]}, tmp_path, repetitions=2, seed=5)
    frame = pd.DataFrame(study.run())
    assert len(frame) == 12
    assert frame.trial.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert frame.seed.tolist() == [5, 6] * 6
    assert frame["config.x"].tolist() == [1] * 6 + [2] * 6
    assert CALLS[0] == ({"x": 1, "kind": "a"}, 5)
    assert CALLS[4][0]["kind"] == (1, 2)
    assert frame["score.height"].tolist()[:2] == pytest.approx([9.05, 9.06])
    assert set(frame.status) == {"done"}
    assert study.best("height") == {"x": 2, "kind": "a"}


def test_a_function_that_changes_its_configuration_changes_no_other_run(tmp_path: Path) -> None:
    def grows(config: dict[str, Any], seed: int) -> dict[str, float]:
        config["layers"].append(seed)
        return {"n": len(config["layers"])}

    table = Experiment(grows, {"layers": [[16, 32]], "x": [1, 2]}, tmp_path, repetitions=2).run()
    assert table["score.n"] == [3, 3, 3, 3]
    assert table["config.layers"] == ["[16, 32]"] * 4


def test_the_tables_on_disk_are_the_table_that_is_returned(tmp_path: Path) -> None:
    table = Experiment(parabola, {"x": [1, 2.5]}, tmp_path).run()
    assert pd.read_csv(tmp_path / "results.csv").columns.tolist() == list(table)
    assert pd.read_csv(tmp_path / "results.csv")["score.height"].tolist() == table["score.height"]
    assert pq.read_table(tmp_path / "results.parquet").column("config.x").to_pylist() == [1, 2.5]


def test_what_is_finished_is_not_repeated_and_more_repetitions_are_added(tmp_path: Path) -> None:
    Experiment(parabola, {"x": [1, 2]}, tmp_path).run()
    CALLS.clear()
    frame = pd.DataFrame(Experiment(parabola, {"x": [1, 2]}, tmp_path, repetitions=2).run())
    assert [seed for _, seed in CALLS] == [1, 1]
    assert len(frame) == 4


def test_a_search_finds_what_a_grid_cannot_cover(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    space = {"x": Uniform(-10, 10), "n": Whole(1, 4), "log": Uniform(1e-4, 1, log=True)}
    study = Experiment(parabola, space, tmp_path, n_trials=25, score="height", seed=1)
    frame = pd.DataFrame(study.run())
    assert len(frame) == 25
    assert frame["config.x"].between(-10, 10).all()
    assert set(frame["config.n"]) <= {1, 2, 3, 4}
    assert study.best()["x"] == pytest.approx(2, abs=0.5)
    # What it learns from: the later half is nearer than the first trials, which are drawn at random.
    assert frame["score.height"][12:].median() > frame["score.height"][:10].median()


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    space = {"x": Uniform(-10, 10), "kind": ["a", True, 1]}
    whole = Experiment(parabola, space, tmp_path / "whole", n_trials=14, score="height").run()
    for n in (5, 12, 14):
        table = Experiment(parabola, space, tmp_path / "parts", n_trials=n, score="height").run()
    assert table["config.x"] == whole["config.x"]
    assert table["config.kind"] == whole["config.kind"]


def test_the_smallest_score_is_searched_for_where_that_is_asked(tmp_path: Path) -> None:
    study = Experiment(parabola, {"x": [2, 7]}, tmp_path, direction="minimize")
    study.run()
    assert study.best("height") == {"x": 7}


def _failing(config: dict[str, Any], seed: int) -> dict[str, float]:
    if config["x"] == 1:
        raise ZeroDivisionError("by nothing")
    return {"height": 1.0}


def test_a_function_that_raises_ends_the_experiment_or_is_noted(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="by nothing") as caught:
        Experiment(_failing, {"x": [0, 1, 2]}, tmp_path / "raise").run()
    assert caught.value.__notes__ == ["in trial 1, repetition 0: config={'x': 1}, seed=0"]
    table = Experiment(_failing, {"x": [0, 1, 2]}, tmp_path / "record", on_error="record").run()
    assert table["status"] == ["done", "failed", "done"]
    assert table["error"] == ["", "ZeroDivisionError: by nothing", ""]
    assert table["score.height"] == [1.0, None, 1.0]
    assert math.isnan(pd.read_csv(tmp_path / "record/results.csv")["score.height"][1])


def test_results_of_another_experiment_are_not_mixed_in(tmp_path: Path) -> None:
    Experiment(parabola, {"x": [1, 2]}, tmp_path).run()
    with pytest.raises(CheckpointError, match="holds the results of another experiment: its space differ"):
        Experiment(parabola, {"x": [1, 3]}, tmp_path).run()
    with pytest.raises(CheckpointError, match="its function and seed differ"):
        Experiment(_failing, {"x": [1, 2]}, tmp_path, seed=1).run()
    (tmp_path / "runs/00000-000.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"00000-000\.json is damaged: .* Delete it to repeat that run"):
        Experiment(parabola, {"x": [1, 2]}, tmp_path).run()


def test_data_and_commit_are_noted(tmp_path: Path) -> None:
    records = EcgDataset.simulated(4)
    table = Experiment(parabola, {"x": [1]}, tmp_path, data=records).run()
    assert table["data"] == [records.fingerprint()]
    done = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    assert table["commit"][0].rstrip("+") == (done.stdout.strip() if done.returncode == 0 else "")
    with pytest.raises(CheckpointError, match="its data differ"):
        Experiment(parabola, {"x": [1]}, tmp_path, data=EcgDataset.simulated(5)).run()


def test_a_fingerprint_follows_ids_labels_and_files_and_not_the_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "r.hea").write_text("r 1 100 100\n")
    one, other = EcgDataset(tmp_path / "a/r.hea"), EcgDataset(tmp_path / "b/r.hea")
    assert one.fingerprint() == other.fingerprint()
    assert EcgDataset(tmp_path / "a/r.hea", labels={"r": "N"}).fingerprint() != one.fingerprint()
    (tmp_path / "b/r.hea").write_text("r 1 100 101\n")
    assert one.fingerprint() != other.fingerprint()


def test_a_fingerprint_of_a_packed_store_follows_its_samples_and_not_its_folder(tmp_path: Path) -> None:
    def packed(value: float, name: str) -> EcgDataset:
        arrays = [np.full((1, 50), value, np.float32), np.ones((1, 50), np.float32)]
        return EcgDataset.from_arrays(arrays, fs=100, ids=["a", "b"]).pack(tmp_path / name)

    assert packed(1.0, "one").fingerprint() == packed(1.0, "same").fingerprint() != packed(2.0, "other").fingerprint()


def test_the_best_configuration_is_one_whose_repetitions_are_all_finished(tmp_path: Path) -> None:
    def stops(config: dict[str, Any], seed: int) -> dict[str, float]:
        if (config["x"], seed) == (2, 1):
            raise KeyboardInterrupt
        return parabola(config, seed)

    study = Experiment(stops, {"x": [1, 2]}, tmp_path, repetitions=2)
    with pytest.raises(KeyboardInterrupt):
        study.run()
    # The first repetition of x=2 is finished, and better.
    assert study.best("height") == {"x": 1}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"space": {"x": Uniform(0, 1)}}, "The space of 'x' is a range, which no grid covers. Pass n_trials"),
        ({"space": {"x": 3}}, "The space of 'x' is 3; expected a list of values"),
        ({"space": {}}, "expected the values of each setting"),
        ({"repetitions": 0}, r"Experiment\(repetitions=0\): expected a whole number of at least 1"),
        ({"n_trials": 3}, "searches for the best score. Pass score"),
        ({"direction": "up"}, "expected 'maximize' or 'minimize'"),
        ({"on_error": "skip"}, "expected 'raise' or 'record'"),
    ],
)
def test_experiments_that_cannot_be_are_refused(given: dict[str, Any], said: str, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"space": {"x": [1]}, "folder": tmp_path, **given}
    with pytest.raises(ConfigError, match=said):
        Experiment(parabola, **arguments)


def test_ranges_and_scores_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected low below high, above 0 with log"):
        Uniform(0, 1, log=True)
    with pytest.raises(ConfigError, match="expected low below high"):
        Whole(3, 3)
    with pytest.raises(InputError, match=r"The function returned 0\.5; expected numbers by name"):
        Experiment(lambda config, seed: 0.5, {"x": [1]}, tmp_path).run()  # type: ignore[arg-type, return-value]
    with pytest.raises(InputError, match=r"best\('auc'\): no configuration has this score in all of its 1 repetitions"):
        Experiment(parabola, {"x": [1]}, tmp_path / "new").best("auc")


def test_a_pipeline_takes_its_settings_from_the_configuration(tmp_path: Path) -> None:
    records = EcgDataset.simulated(6, fs=100, duration_s=4)

    def count(config: dict[str, Any], seed: int) -> dict[str, float]:
        template = Pipeline(config=config).init_variable("n", 0).load().random_split_signals(C("length"), C("segments"))
        run = (records >> template.update(V("n", mode="w"), C("length"))).run(6, seed=seed)
        return {"length": run.get_variable("n")}

    table = Experiment(count, {"length": [50, 100], "segments": [2]}, tmp_path).run()
    assert table["score.length"] == [50.0, 100.0]


SCRIPT = """
import os, sys, time
from pathlib import Path
from cardioflow.experiments import Experiment, Uniform

folder, log = Path(sys.argv[1]), Path(sys.argv[2])

def slow(config, seed):
    with log.open("a") as file:
        file.write(f"{config['x']!r} {seed}\\n")
    time.sleep(0.1)
    return {"height": -(config["x"] - 2) ** 2 + seed}

Experiment(slow, {"x": Uniform(-5, 5)}, folder, n_trials=8, score="height", repetitions=2).run()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal here")
def test_a_killed_experiment_goes_on_and_repeats_nothing_that_is_finished(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    script = tmp_path / "study.py"
    script.write_text(SCRIPT)

    def start(folder: str, log: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), str(tmp_path / folder), str(tmp_path / log)])

    def n_finished(folder: str) -> int:
        return len(list((tmp_path / folder / "runs").glob("[0-9]*.json")))

    assert start("whole", "whole.log").wait(120) == 0
    kills = 0
    for least in (2, 7, 11):
        process = start("killed", "killed.log")
        while n_finished("killed") < least and process.poll() is None:
            time.sleep(0.02)
        kills += process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
    assert kills == 3
    assert start("killed", "killed.log").wait(120) == 0
    scores = ["trial", "repetition", "config.x", "score.height", "status"]
    expected, found = (pd.read_csv(tmp_path / folder / "results.csv")[scores] for folder in ("whole", "killed"))
    pd.testing.assert_frame_equal(found, expected)
    begun = (tmp_path / "killed.log").read_text().splitlines()
    # 16 runs, and at most one more for each time it was killed in the middle of one.
    assert 16 <= len(begun) <= 19
    assert len(set(begun)) == 16
    assert not [path for path in (tmp_path / "killed").rglob("*") if path.name.endswith(".part")]
    assert json.loads((tmp_path / "killed/experiment.json").read_text())["space"]
