"""Records that are split, filtered and joined by what is known about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from cardioflow.errors import InputError
from cardioflow.pipeline.data.parts import Parts
from cardioflow.pipeline.data.record_index import RecordIndex
from cardioflow.pipeline.data.record_table import RecordTable

# Most scripts neither split nor join: what does it is imported where it is done.
if TYPE_CHECKING:
    from cardioflow.pipeline.data.joining import Contents

__all__ = ["RecordSet"]


class RecordSet(RecordIndex):
    """Records of which parts are made, and that are joined with others."""

    def split(
        self,
        shares: Sequence[float] | float | None = None,
        *,
        folds: int | None = None,
        by: Any = None,
        stratify: Any = None,
        groups: Any = None,
        seed: int = 0,
        missing: Literal["raise", "drop"] = "raise",
        extra: Literal["raise", "ignore"] = "raise",
        check: bool | Mapping[str, Any] = False,
        exempt: Collection[str | tuple[str, str]] = (),
    ) -> Parts[Self]:
        """Return parts of the data set: of given shares, ``folds`` parts of equal size, or those of a table.

        Every record is in one part at most. ``dataset - part`` is the rest:
        ``for test in dataset.split(folds=5): train = dataset - test``.

        Args:
            shares: One number (that share and the rest), or one per part.
            folds: The number of parts of equal size.
            by: A table of published parts: a column of the data set's own table such as ``"fold"``, a CSV file or a
                pandas or Arrow table with a column ``part`` or ``fold``, or a mapping of ids. The parts are found by
                their names: ``parts["test"]``.
            stratify: The label of each record by id, whose proportions every part keeps: a mapping, a pandas Series
                with the ids as index, or a pandas or Arrow table of two columns; ``"label"`` for the labels that the
                data set knows; or a column of its table. Records may have several labels.
            groups: The patient of each record by id, in the same forms; no patient is in two parts. By default the
                column ``patient`` of the data set's table, if it has one; ``False`` splits patients too.
            seed: Of the random draw.
            missing: Whether a record that ``by`` has in no part is an error, or is left out.
            extra: Whether a record that ``by`` lists and the data set does not hold is an error.
            check: Whether to read the records and compare the parts, as ``cardioflow.audit`` does; or options of
                ``load`` to read them with, such as ``{"fs": 500}``.
            exempt: Leaks that are known and allowed, as for ``audit``.

        Raises:
            LeakError: with ``check``, when two parts share a patient, a tape or a signal.
            InputError: when the shares are not positive or add up to more than 1, or not exactly one of ``shares``,
                ``folds`` and ``by`` is given.
        """
        given = [name for name, value in (("shares", shares), ("folds", folds), ("by", by)) if value is not None]
        if len(given) != 1:
            raise InputError(
                f"split() got {' and '.join(given) or 'no shares, folds or by'}. Pass one of shares, folds and by."
            )
        if by is not None:
            from cardioflow.pipeline.data.published_parts import parts_by

            named = parts_by(by, self.ids, self.all_ids, self.table, missing=missing, extra=extra)
            parts: Parts[Self] = Parts({name: self._rows(rows) for name, rows in named.items()})
            return parts if check is False else self._checked(parts, {} if check is True else check, exempt)
        from cardioflow.pipeline.data.splitting import fold_rows, share_rows

        strata, patients = self._values_of(stratify), self._groups_of(groups)
        if folds is not None:
            rows = fold_rows(self.ids, folds, stratify=strata, groups=patients, seed=seed)
        else:
            rows = share_rows(self.ids, shares, stratify=strata, groups=patients, seed=seed)
        parts = Parts(self._rows(own) for own in rows)
        return parts if check is False else self._checked(parts, {} if check is True else check, exempt)

    def _checked(
        self, parts: Parts[Self], options: Mapping[str, Any], exempt: Collection[str | tuple[str, str]]
    ) -> Parts[Self]:
        # It needs Numba, and a data set is to be light.
        from cardioflow.pipeline.data.leaks.audit import audit_parts

        used = frozenset(name for part in parts for name in part.ids)
        whole = self._rows([i for i, name in enumerate(self.ids) if name in used])
        audit_parts(whole, dict(zip(parts.names, parts, strict=True)), exempt=exempt, options=options).check()
        return parts

    def _values_of(self, given: Any) -> Any:
        """Return ``given``, or the values by id of the column that it names."""
        if not isinstance(given, str):
            return given
        if given == "label" and given not in self.table:
            if self.labels is None:
                raise InputError("split(stratify='label'): the data set knows no labels. Pass a mapping of ids.")
            return self.labels
        return dict(zip(self.ids, self.table.column(given, self.ids), strict=True))

    def _groups_of(self, given: Any) -> Any:
        if given is None and "patient" in self.table:
            # A record of an unknown patient is a group of its own, whatever the patients are called.
            known = self.table.column("patient", self.ids)
            return {name: (name,) if p is None else p for name, p in zip(self.ids, known, strict=True)}
        return None if given is False else self._values_of(given)

    def filter(
        self,
        condition: Callable[[Mapping[str, Any]], bool] | None = None,
        *,
        missing: Literal["raise", "drop"] = "raise",
        **columns: Any,
    ) -> Self:
        """Return the records whose values in the data set's table meet every condition.

        ``dataset.filter(sex="F", age=lambda years: years >= 18, fold={1, 2, 3})``

        Args:
            condition: A function of the record's values by column; ``None`` stands for values that are not known.
            missing: Whether a record without a value in one of ``columns`` is an error, or is left out.
            **columns: By column: a value, a set, list or tuple of values, or a function of the value.

        Raises:
            UnknownNameError: when the table has no such column.
            InputError: when no record meets the conditions.
        """
        rows = self.table.matching(self.ids, columns, missing)
        if condition is not None:
            known = list(self.table.rows([self.ids[i] for i in rows]))
            rows = [i for i, row in zip(rows, known, strict=True) if condition(row)]
        if not rows:
            raise InputError(f"filter() leaves none of the {len(self)} records. Loosen the conditions.")
        return self._rows(rows)

    def with_table(self, table: Any, id_column: str | None = None) -> Self:
        """Return the data set with the columns of ``table`` known for its records.

        Args:
            table: A pandas or an Arrow table, or a mapping of columns, one row per record; rows of other records are
                kept for the data sets that this one is a part of.
            id_column: The column of record ids; by default the first.

        Raises:
            InputError: when the table has two rows for one record, or none for any.
        """
        found = RecordTable.of(table, id_column)
        if self.all_ids.isdisjoint(found.ids):
            raise InputError(
                f"with_table(): the table's ids are {', '.join(map(repr, found.ids[:3]))} …, the records' "
                f"{', '.join(map(repr, self.ids[:3]))} …. Pass id_column=…."
            )
        new = self._rows(range(len(self)))
        new.table = self.table.with_columns(found)
        return new

    # -- joining ------------------------------------------------------------

    def __add__(self, other: Self) -> Self:
        """Return the records of both; see ``concat``."""
        return self.concat([self, other]) if isinstance(other, RecordIndex) else NotImplemented

    def __sub__(self, other: Self) -> Self:
        """Return the records of this data set that are not in ``other``, by id.

        Raises:
            InputError: when none is left, or ``other`` holds a record that this data set does not.
        """
        if not isinstance(other, RecordIndex):
            return NotImplemented
        taken = frozenset(other.ids)
        strange = taken - self.all_ids
        if strange:
            raise InputError(f"The data set has no record {min(strange)!r}, so it cannot be taken out.")
        left = [i for i, name in enumerate(self.ids) if name not in taken]
        if not left:
            raise InputError(f"All {len(self)} records of the data set are in the one that is taken out. None is left.")
        return self._rows(left)

    @classmethod
    def concat(cls, datasets: Sequence[Self] | Mapping[str, Self]) -> Self:
        """Return one data set of the records of several, with their labels, tables and cards.

        Args:
            datasets: A list, or a mapping of names. With names, each id becomes ``"<name>-<id>"``, and the name is in
                the column ``source`` of the table.

        Raises:
            InputError: when two of them hold a record of one id, or make batches of different classes.
        """
        from cardioflow.pipeline.data.joining import joined

        names = list(datasets) if isinstance(datasets, Mapping) else None
        parts = list(datasets.values()) if isinstance(datasets, Mapping) else list(datasets)
        if not parts:
            raise InputError("concat() got no data set. Pass at least one.")
        if len({part.batch_class for part in parts}) > 1:
            raise InputError("concat(): the data sets make batches of different classes. Pass one batch_class to all.")
        whole = joined([part._contents() for part in parts], names)
        new = object.__new__(cls)
        new.__dict__.update(parts[0].__dict__)
        new.__dict__.pop("_keys", None)
        RecordIndex.__init__(new, whole.locations, whole.labels, parts[0].batch_class, whole.table)
        new.all_ids, new.cards, new.classes = whole.all_ids, whole.cards, whole.classes
        return new

    def _contents(self) -> Contents:
        from cardioflow.pipeline.data.joining import Contents

        places = dict(zip(self.ids, self.locations, strict=True))
        return Contents(places, self.labels, self.all_ids, self.table, self.cards, self.classes)
