"""The records of a recipe by fold."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

from cardioflow.errors import ConfigError
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.recipe.description import DataRecipe

__all__ = ["FoldedRecords"]


@final
@dataclass(frozen=True)
class FoldedRecords:
    """The file, the label and the fold of each record."""

    files: dict[str, Path]
    labels: dict[str, str]
    folds: dict[str, int]
    classes: tuple[str, ...]

    @classmethod
    def read(cls, data: DataRecipe, folder: Path, table: Path) -> Self:
        """Return the records of ``table`` whose files lie in ``folder``.

        Raises:
            ConfigError: when the table lacks a column, a fold has no records, or a file is missing.
        """
        if not folder.is_dir():
            raise ConfigError(f"There is no folder {str(folder)!r}. Pass the folder of the records as --data.")
        files: dict[str, Path] = {}
        labels: dict[str, str] = {}
        folds: dict[str, int] = {}
        for row in _rows(table, data):
            name, label = row[data.record], data.renamed.get(row[data.label], row[data.label])
            if label not in data.classes:
                continue
            if name in folds:
                raise ConfigError(f"The table {str(table)!r} lists the record {name!r} twice.")
            files[name] = folder / data.files.format(record=name)
            labels[name] = label
            folds[name] = _fold(row[data.fold], name, table)
        missing = [name for name, path in files.items() if not path.is_file()]
        if missing:
            raise ConfigError(
                f"{len(missing)} of the {len(files)} records of {str(table)!r} have no file in {str(folder)!r}, the "
                f"first of them {files[missing[0]].name!r}. Pass the folder of the whole set as --data, or a table of "
                "the records that are there as --table."
            )
        found = cls(files, labels, folds, data.classes)
        for fold in (*data.train, *data.test):
            if fold not in found.folds.values():
                raise ConfigError(f"The table {str(table)!r} has no records of fold {fold}.")
        return found

    def names(self, folds: Collection[int]) -> list[str]:
        """Return the records of ``folds``, in the order of the table."""
        return [name for name, fold in self.folds.items() if fold in folds]

    def dataset(self, folds: Collection[int]) -> EcgDataset:
        """Return the records of ``folds`` with their labels."""
        names = self.names(folds)
        dataset = EcgDataset({n: self.files[n] for n in names}, labels={n: self.labels[n] for n in names})
        dataset.classes = self.classes
        return dataset


def _rows(table: Path, data: DataRecipe) -> list[dict[str, str]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = tuple(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The table {str(table)!r} cannot be read: {error}. Pass its path as --table.") from error
    for column in (data.record, data.label, data.fold):
        if column not in columns:
            raise ConfigError(f"The table {str(table)!r} has no column {column!r}, but {', '.join(columns) or 'none'}.")
    return rows


def _fold(text: str, name: str, table: Path) -> int:
    try:
        return int(text)
    except (TypeError, ValueError):
        raise ConfigError(
            f"The table {str(table)!r} has the fold {text!r} for record {name!r}; expected a whole number."
        ) from None
