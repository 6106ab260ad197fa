"""PTB-XL, 21 799 clinical 12-lead ECGs of 10 s."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, final

from cardioflow.datasets.base import PublicDataset, Records, choose, wfdb
from cardioflow.datasets.tables import number, read_table
from cardioflow.errors import ConfigError, FormatError
from cardioflow.pipeline.data.dataset_card import DatasetCard

__all__ = ["Ptbxl"]

Task = Literal["all", "diagnostic", "subdiagnostic", "superdiagnostic", "form", "rhythm"]

_TASKS: Final = ("all", "diagnostic", "subdiagnostic", "superdiagnostic", "form", "rhythm")
# The column of scp_statements.csv that says which statements a task has, and the one with the names of its classes.
_COLUMNS: Final = {
    "diagnostic": ("diagnostic", None),
    "subdiagnostic": ("diagnostic", "diagnostic_subclass"),
    "superdiagnostic": ("diagnostic", "diagnostic_class"),
    "form": ("form", None),
    "rhythm": ("rhythm", None),
}
_NUMBERS: Final = ("age", "height", "weight")
_OVER_89: Final = 300
"""The age that the publishers gave everybody over 89, to protect their identity."""


@final
@dataclass(frozen=True)
class Ptbxl(PublicDataset):
    """Clinical 12-lead ECGs with SCP statements, in the six tasks of the published benchmark.

    Strodthoff, Wagner, Schaeffter and Samek, "Deep Learning for ECG Analysis:
    Benchmarks and Insights from PTB-XL" (IEEE J Biomed Health Inform 25 (2021)
    1519): 71 statements in all, 44 diagnostic, in 23 subclasses and 5 superclasses,
    19 of form and 12 of rhythm. The table's columns ``fold`` (1 to 10) and ``part``
    (``train`` is folds 1 to 8, ``validation`` 9, ``test`` 10) are the published
    ones; patients are in one fold each. The publishers wrote the age 300 for everybody
    over 89: here ``age`` is ``None`` for them, and ``age_over_89`` is true.

    Args:
        root: The folder with ``ptbxl_database.csv``.
        missing: Whether a published record without a file is an error, or is left out.
        task: Which statements are labels.
        rate: The sampling rate in Hz: 100 or 500.
        min_likelihood: The least likelihood, in per cent, with which a statement counts. The benchmark takes every
            statement; 0 also stands for a likelihood that was not stated.
        unlabelled: Whether records without a statement of the task are left out, as in the benchmark, or are kept
            with no label.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        name="ptbxl",
        title="PTB-XL, a large publicly available electrocardiography dataset",
        n_records=21_799,
        licence="CC BY 4.0",
        url="https://physionet.org/content/ptb-xl/1.0.3/",
        size="about 1.7 GB",
        citation="Wagner P, Strodthoff N, Bousseljot RD, et al. PTB-XL, a large publicly available "
        "electrocardiography dataset. Sci Data 2020;7:154. doi:10.1038/s41597-020-0495-6",
    )

    task: Task = "superdiagnostic"
    rate: Literal[100, 500] = 100
    min_likelihood: float = 0.0
    unlabelled: Literal["drop", "keep"] = "drop"

    def __post_init__(self) -> None:
        super().__post_init__()
        choose(self, "task", _TASKS)
        choose(self, "rate", (100, 500))
        choose(self, "unlabelled", ("drop", "keep"))
        if not 0 <= self.min_likelihood <= 100:
            raise ConfigError(f"Ptbxl(min_likelihood={self.min_likelihood!r}): expected a number from 0 to 100.")

    def records(self, root: Path) -> Records:
        column = "filename_lr" if self.rate == 100 else "filename_hr"
        path = self.file(root, "ptbxl_database.csv")
        rows = read_table(path, ("patient_id", "scp_codes", "strat_fold", column))
        class_of = self._classes(root)
        stated = [self._labels(cell, class_of, path) for cell in rows["scp_codes"]]
        kept = [i for i, own in enumerate(stated) if own or self.unlabelled == "keep"]
        paths = [root / f"{rows[column][i]}.hea" for i in kept]
        folds = [_fold(rows["strat_fold"][i], path) for i in kept]
        columns: dict[str, list[Any]] = {
            "patient": [_patient(rows["patient_id"][i]) for i in kept],
            "fold": folds,
            "part": ["test" if fold == 10 else "validation" if fold == 9 else "train" for fold in folds],
            "sex": [{"0": "M", "1": "F"}.get(rows["sex"][i]) for i in kept] if "sex" in rows else [None] * len(kept),
        }
        for name, cells in rows.items():
            if name not in ("patient_id", "strat_fold", "scp_codes", "filename_lr", "filename_hr", "sex"):
                own = [cells[i] for i in kept]
                columns[name] = [number(cell) for cell in own] if name in _NUMBERS else own
        if "age" in columns:
            columns["age_over_89"] = [None if age is None else age == _OVER_89 for age in columns["age"]]
            columns["age"] = [None if age == _OVER_89 else age for age in columns["age"]]
        labels = {path.stem: stated[i] for path, i in zip(paths, kept, strict=True)}
        return Records(wfdb(paths), columns, labels, tuple(sorted(set(class_of.values()))))

    def _classes(self, root: Path) -> dict[str, str]:
        """Return the class of each statement that the task has."""
        rows = read_table(self.file(root, "scp_statements.csv"), ("", "diagnostic", "form", "rhythm"))
        codes = rows[""]
        if self.task == "all":
            return {code: code for code in codes}
        chosen, named = _COLUMNS[self.task]
        names = codes if named is None else rows[named]
        pairs = zip(codes, rows[chosen], names, strict=True)
        return {code: name for code, mark, name in pairs if number(mark) == 1 and name}

    def _labels(self, cell: str, class_of: Mapping[str, str], path: Path) -> tuple[str, ...]:
        try:
            stated = ast.literal_eval(cell)
            likely = [code for code, likelihood in stated.items() if float(likelihood) >= self.min_likelihood]
        except (ValueError, SyntaxError, AttributeError, TypeError) as error:
            raise FormatError(f"{path}: the scp_codes {cell[:60]!r} are not a dict of likelihoods.") from error
        return tuple(dict.fromkeys(class_of[code] for code in likely if code in class_of))


def _fold(cell: str, path: Path) -> int:
    found = number(cell)
    if found is None or found not in range(1, 11):
        raise FormatError(f"{path}: {cell!r} in column 'strat_fold' is not a fold from 1 to 10.")
    return int(found)


def _patient(cell: str) -> str | None:
    found = number(cell)
    return None if found is None else f"ptbxl/{int(found)}"
