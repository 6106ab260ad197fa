"""Carry a recipe out: members, their weights, calibration, and the bundle; interrupted, the same call goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.limits_of_use import Limits
from cardioflow.bundle.package import DESCRIPTION
from cardioflow.core.atomic import whole_file
from cardioflow.errors import ConfigError
from cardioflow.recipe.bundling import bundle_of, coverage_scores, with_test_scores
from cardioflow.recipe.description import MemberRecipe, Recipe
from cardioflow.recipe.folds import FoldedRecords
from cardioflow.recipe.member import MemberTraining
from cardioflow.recipe.out_of_fold import Chosen, OutOfFold, choose, cross_calibrated
from cardioflow.recipe.table import Row, as_text, scores_of

__all__ = ["Outcome", "Training"]

_STATE: Final = "recipe.json"
_SCORE: Final = "test_score.json"


@final
@dataclass(frozen=True)
class Outcome:
    """What training has come to."""

    bundle: Path
    chosen: Chosen
    rows: tuple[Row, ...]
    """Scores on the left-out folds, and on the test folds where they were asked for."""
    classes: tuple[str, ...]

    def __str__(self) -> str:
        weights = ", ".join(f"{name} {weight:g}" for name, weight in self.chosen.weights.items())
        return f"{as_text(self.rows, self.classes)}\n\nWeights: {weights}. Bundle: {self.bundle}"


@final
class Training:
    """A recipe on the records of a folder, with its results in another.

    Args:
        recipe: the recipe.
        records: the records of its table.
        out: the folder of models, checkpoints, tables and the bundle; one per recipe.
        say: called with a line about each thing that is done.

    Raises:
        ConfigError: when ``out`` holds the results of another recipe, or of other records.
    """

    def __init__(
        self, recipe: Recipe, records: FoldedRecords, out: Path, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.recipe = recipe
        self.records = records
        self.out = out
        self.say = say
        out.mkdir(parents=True, exist_ok=True)
        self._claim()

    def run(self, *, score: bool = False) -> Outcome:
        """Train what is not trained yet, and write the bundle.

        Args:
            score: whether to score the test folds, which is done once: a second call shows the same figures.
        """
        found = self._out_of_fold()
        chosen = choose(self.recipe, found)
        rows = self._rows(found, chosen)
        bundle = self._bundle(chosen, rows, found)
        if score:
            rows = (*rows, self._tested(bundle, chosen))
        outcome = Outcome(self.out / "bundle", chosen, rows, self.recipe.data.classes)
        self._write_text("table.md", f"{outcome}\n")
        return outcome

    # -- members ---------------------------------------------------------------

    def _member(self, member: MemberRecipe) -> MemberTraining:
        recipe = self.recipe
        return MemberTraining(
            member, self.records, recipe.data.fmt, recipe.metric_labels, self.out / "prepared", self.out
        )

    def _out_of_fold(self) -> OutOfFold:
        folds = self.recipe.data.train
        names = self.records.names(folds)
        predicted: dict[str, Any] = {}
        for member in self.recipe.members:
            own = self._member(member)
            each: dict[str, Any] = {}
            for fold in folds:
                self.say(f"{member.name}: training without fold {fold}")
                model = own.train([f for f in folds if f != fold], fold)
                each |= own.predict(model, fold)
            predicted[member.name] = each
        # A record that a member's steps leave out has no mean over the members.
        whole = tuple(n for n in names if all(n in each for each in predicted.values()))
        classes = self.recipe.data.classes
        return OutOfFold(
            whole,
            np.array([self.records.folds[n] for n in whole]),
            np.array([classes.index(self.records.labels[n]) for n in whole]),
            {name: np.array([each[n] for n in whole]) for name, each in predicted.items()},
        )

    # -- scores and the bundle -------------------------------------------------

    def _rows(self, found: OutOfFold, chosen: Chosen) -> tuple[Row, ...]:
        classes = self.recipe.data.classes
        labels = [classes.index(label) for label in self.recipe.metric_labels or classes]
        rows = [scores_of(f"{name}, out of fold", found.y, p, labels) for name, p in found.members.items()]
        mixed = cross_calibrated(self.recipe, found, chosen.weights)
        rows.append(scores_of("mixed and calibrated, out of fold", found.y, mixed, labels))
        self._write_text(
            "out_of_fold.json",
            json.dumps(
                {
                    "records": found.records,
                    "folds": found.folds.tolist(),
                    "y": found.y.tolist(),
                    "members": {name: np.round(p, 6).tolist() for name, p in found.members.items()},
                    "mixed": np.round(mixed, 6).tolist(),
                }
            ),
        )
        return tuple(rows)

    def _bundle(self, chosen: Chosen, rows: tuple[Row, ...], found: OutOfFold) -> Bundle:
        folds = self.recipe.data.train
        members, files = [], {}
        for member in self.recipe.members:
            own, weight = self._member(member), chosen.weights[member.name]
            if not weight:
                continue
            left_out: list[int | None] = [*folds] if member.ensemble else [None]
            for fold in left_out:
                if fold is None:
                    self.say(f"{member.name}: training on all folds")
                file = own.file(own.train([f for f in folds if f != fold], fold))
                files[file.name] = file.read_bytes()
                members.append(own.described(file, weight / len(left_out)))
        self.say("writing the bundle")
        return bundle_of(
            self.recipe,
            chosen,
            members,
            files,
            folder=self.out / "bundle",
            development=rows[-1],
            fingerprint=self._fingerprint(found),
        )

    def _tested(self, bundle: Bundle, chosen: Chosen) -> Row:
        """Return the scores of the bundle on the test folds, which its card has from then on."""
        path, folds = self.out / _SCORE, self.recipe.data.test
        if not folds:
            raise ConfigError("The recipe has no test folds. Name some in data.test, or leave --score out.")
        classes = self.recipe.data.classes
        if not path.exists():
            self.say(f"scoring the test folds {', '.join(map(str, folds))}")
            names = self.records.names(folds)
            files = [self.records.files[n] for n in names]
            found = _without_limits(bundle, self.out / "bundle").predict(files)
            if found.skipped:
                first = found.skipped[0]
                raise ConfigError(
                    f"{len(found.skipped)} test records cannot be predicted: {first.file}: {first.reason}"
                )
            own = {n: [p.probabilities[c] for c in classes] for n, p in zip(names, found, strict=True)}
            self._write_text(_SCORE, json.dumps(own))
        kept = json.loads(path.read_text())
        y, p = np.array([classes.index(self.records.labels[n]) for n in kept]), np.array(list(kept.values()))
        labels = [classes.index(label) for label in self.recipe.metric_labels or classes]
        row = scores_of("test folds, scored once", y, p, labels)
        which = f"fold{'s' * (len(folds) > 1)} {', '.join(map(str, folds))}"
        scores = row.scores(classes, on := f"{which}, not trained on, scored once")
        if chosen.conformal is not None:
            scores += coverage_scores(chosen.conformal, y, p, classes, on)
        with_test_scores(self.out / "bundle", bundle, scores)
        return row

    # -- what is kept ----------------------------------------------------------

    def _fingerprint(self, found: OutOfFold) -> str:
        """Return a checksum of the files that were trained on."""
        total = hashlib.sha256()
        for name in found.records:
            total.update(name.encode())
            for path in sorted(self.records.files[name].parent.glob(f"{self.records.files[name].stem}.*")):
                total.update(path.read_bytes())
        return f"sha256:{total.hexdigest()}"

    def _claim(self) -> None:
        """Refuse a folder in which another recipe was carried out."""
        own = json.loads(json.dumps(_identity(self.recipe, self.records)))
        path = self.out / _STATE
        if not path.exists():
            self._write_text(_STATE, json.dumps(own, indent=1))
            return
        before = json.loads(path.read_text())
        changed = sorted(name for name in {*own, *before} if own.get(name) != before.get(name))
        if changed:
            raise ConfigError(
                f"The folder {str(self.out)!r} holds the results of another recipe: {', '.join(changed)} changed. "
                "Pass another folder as --out, or remove this one."
            )

    def _write_text(self, name: str, text: str) -> None:
        with whole_file(self.out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _without_limits(bundle: Bundle, folder: Path) -> Bundle:
    """Return the bundle in ``folder`` so that it answers for every record: a score counts those that are hard, too."""
    description = replace(bundle.description, limits=Limits())
    files = {name: (folder / name).read_bytes() for name in description.file_names}
    return Bundle.from_files({**files, DESCRIPTION: description.to_json().encode()}, name=str(folder))


def _identity(recipe: Recipe, records: FoldedRecords) -> Mapping[str, Any]:
    """Return what the trained models depend on."""
    listed = sorted((n, records.labels[n], fold) for n, fold in records.folds.items() if fold in recipe.data.train)
    data = {**asdict(recipe.data), "table": "", "test": ()}
    return {
        "data": data,
        **{f"member {member.name}": asdict(member) for member in recipe.members},
        "records": hashlib.sha256(json.dumps(listed).encode()).hexdigest(),
    }
