"""A function that is run with many configurations, and the table of what came out."""

from __future__ import annotations

import copy
import inspect
import json
import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, final

from cardioflow.core.atomic import whole_file
from cardioflow.errors import CheckpointError, ConfigError, InputError
from cardioflow.experiments.results import Outcome, Results
from cardioflow.experiments.search import Search
from cardioflow.experiments.space import Space, checked_space, grid
from cardioflow.pipeline.checkpoint.description import describe
from cardioflow.pipeline.checkpoint.lock import FolderLock
from cardioflow.pipeline.data.record_index import RecordIndex

__all__ = ["Experiment"]

Function = Callable[[dict[str, Any], int], Mapping[str, float]]


@final
class Experiment:
    """Runs ``function(config, seed)`` for every configuration, several times each, and keeps the scores.

    Without ``n_trials`` the configurations are the grid of all values; with it,
    that many are searched by Optuna. Repetition ``r`` gets the seed ``seed + r``, the
    same for every configuration. Each finished run is written at once: the same
    call goes on where a killed one stopped, repeats nothing that is finished, and
    searches on as if it had not been stopped.

    The folder holds ``results.csv`` and ``results.parquet``, a row for each run:
    trial, repetition, seed, settings, scores, status, time, commit and the data's fingerprint.

    Args:
        function: Trains and tests with a configuration and a seed, and returns the scores by name.
        space: What each setting may be: a list of values, ``Uniform`` or ``Whole``.
        folder: Where the results are written.
        repetitions: How often each configuration is run.
        n_trials: How many configurations to search; by default the whole grid.
        score: The score that a search improves; the mean of its repetitions counts.
        direction: Whether a large score is good, or a small one.
        seed: Of the search and of the first repetition.
        data: The data set, whose fingerprint is noted.
        on_error: Whether an exception of ``function`` ends the experiment, or is noted as a failed run.

    Raises:
        ConfigError: for a space that cannot be covered, or a search without a score.
        CheckpointError: when the folder holds another experiment's results, or one that is running.
    """

    def __init__(
        self,
        function: Function,
        space: Space,
        folder: str | Path,
        *,
        repetitions: int = 1,
        n_trials: int | None = None,
        score: str | None = None,
        direction: Literal["maximize", "minimize"] = "maximize",
        seed: int = 0,
        data: RecordIndex | None = None,
        on_error: Literal["raise", "record"] = "raise",
    ) -> None:
        if not callable(function):
            raise ConfigError(f"Experiment({function!r}): expected a function of a configuration and a seed.")
        for name, value in (("repetitions", repetitions), ("n_trials", n_trials)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(f"Experiment({name}={value!r}): expected a whole number of at least 1.")
        if direction not in ("maximize", "minimize"):
            raise ConfigError(f"Experiment(direction={direction!r}): expected 'maximize' or 'minimize'.")
        if on_error not in ("raise", "record"):
            raise ConfigError(f"Experiment(on_error={on_error!r}): expected 'raise' or 'record'.")
        self._function = function
        self._space = checked_space(space)
        if n_trials is None:
            self._grid: list[dict[str, Any]] | None = list(grid(self._space))
        elif score is None:
            raise ConfigError("Experiment(n_trials=…) searches for the best score. Pass score=…, its name.")
        else:
            self._grid = None
        self._n_trials = n_trials
        self._repetitions = repetitions
        self._score = score
        self._direction = direction
        self._seed = seed
        self._data = "" if data is None else data.fingerprint()
        self._on_error = on_error
        self._folder = Path(folder)

    def run(self) -> dict[str, list[Any]]:
        """Run what is not finished yet, and return the table as columns, for ``pandas.DataFrame``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(self._folder)
        lock.acquire()
        try:
            self._check_same()
            results = Results(self._folder)
            commit = _commit(self._function)
            for trial, config in self._configs(results):
                for repetition in range(self._repetitions):
                    if (trial, repetition) not in results.outcomes:
                        results.add(self._outcome(trial, repetition, config, commit))
            results.write()
            return results.table()
        finally:
            lock.release()

    def table(self) -> dict[str, list[Any]]:
        """Return the table of the runs that are finished, as columns."""
        return Results(self._folder).table()

    def best(self, score: str | None = None) -> dict[str, Any]:
        """Return the configuration with the best mean of a score, by default of the one that is searched for.

        Only configurations of which all repetitions are finished are compared: a single lucky run would win against
        the mean of several.

        Raises:
            InputError: when no configuration is finished, or none has that score.
        """
        name = self._score if score is None else score
        results = Results(self._folder)
        means = {}
        finished = set(results.outcomes)
        for trial in sorted({trial for trial, _ in finished}):
            if not all((trial, repetition) in finished for repetition in range(self._repetitions)):
                continue
            value = self._mean(results, trial, name)
            if value is not None:
                means[trial] = value
        if not means:
            raise InputError(
                f"best({name!r}): no configuration has this score in all of its {self._repetitions} repetitions. "
                "Call run() to finish them, or pass the name of another score."
            )
        chosen = max(means, key=lambda trial: means[trial] if self._direction == "maximize" else -means[trial])
        return dict(next(results.of_trial(chosen)).config)

    def _configs(self, results: Results) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the configurations by number; a search gets the result of each before the next."""
        if self._grid is not None:
            yield from enumerate(self._grid)
            return
        search = Search(self._space, self._direction, self._seed)
        for trial in range(self._n_trials or 0):
            known = next(results.of_trial(trial), None)
            config = search.next_config(trial) if known is None else dict(known.config)
            yield trial, config
            search.tell(config, self._mean(results, trial, self._score))

    def _mean(self, results: Results, trial: int, name: str | None) -> float | None:
        """Return the mean of a score over the repetitions; ``None`` where one failed or the score is not a number."""
        values = [own.scores.get(name or "", math.nan) for own in results.of_trial(trial)]
        mean = sum(values) / len(values) if values else math.nan
        return mean if math.isfinite(mean) else None

    def _outcome(self, trial: int, repetition: int, config: dict[str, Any], commit: str) -> Outcome:
        seed = self._seed + repetition
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        clock = time.perf_counter()
        scores: Mapping[str, float] = {}
        error = ""
        try:
            scores = self._checked(self._function(copy.deepcopy(config), seed))
        except Exception as caught:
            if self._on_error == "raise":
                caught.add_note(f"in trial {trial}, repetition {repetition}: config={config!r}, seed={seed}")
                raise
            error = f"{type(caught).__name__}: {caught}"
        return Outcome(
            trial=trial,
            repetition=repetition,
            seed=seed,
            config=config,
            scores=scores,
            status="failed" if error else "done",
            error=error,
            started=started,
            seconds=round(time.perf_counter() - clock, 3),
            commit=commit,
            data=self._data,
        )

    def _checked(self, scores: Any) -> dict[str, float]:
        try:
            found = {str(name): float(value) for name, value in scores.items()}
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(
                f"The function returned {scores!r}; expected numbers by name, as {{'auc': 0.9}}."
            ) from error
        if self._grid is None and self._score not in found:
            raise InputError(f"The function returned no score {self._score!r}, which is searched for: {sorted(found)}.")
        return found

    def _check_same(self) -> None:
        """Write what the experiment is, or compare it with what the folder is of.

        Raises:
            CheckpointError: with what differs.
        """
        now = {
            "function": describe(self._function),
            "space": describe(dict(self._space)),
            "seed": describe(self._seed),
            "search": describe((self._score, self._direction) if self._grid is None else None),
            "data": self._data,
        }
        path = self._folder / "experiment.json"
        if not path.is_file():
            with whole_file(path) as temporary:
                temporary.write_text(json.dumps(now, indent=1), encoding="utf-8")
            return
        try:
            saved = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{path} is damaged: {error}. Pass another folder, or delete the file if the results beside it are "
                "of this experiment."
            ) from error
        changed = [name for name, value in now.items() if saved.get(name) != value]
        if changed:
            raise CheckpointError(
                f"{str(self._folder)!r} holds the results of another experiment: its {' and '.join(changed)} "
                f"{'differ' if len(changed) > 1 else 'differs'}. Pass another folder, or delete this one."
            )


def _commit(function: Function) -> str:
    """Return the commit of the repository that the function's file is in; an empty text where there is none."""
    git = shutil.which("git")
    try:
        folder = Path(inspect.getfile(inspect.unwrap(function))).resolve().parent
    except (TypeError, OSError):
        folder = Path.cwd()
    if git is None or not folder.is_dir():
        return ""

    def said(*arguments: str) -> str | None:
        # The arguments are ours, and the folder is that of the function which is about to run.
        done = subprocess.run([git, "-C", str(folder), *arguments], capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.strip() if done.returncode == 0 else None

    commit = said("rev-parse", "HEAD")
    return "" if not commit else f"{commit}+" if said("status", "--porcelain", "--untracked-files=no") else commit
