"""Every error stands in the tree that the module draws, and says where it happened."""

from __future__ import annotations

import pickle
import re

from cardioflow import errors
from cardioflow.errors import BadRecordsError, CardioFlowError, FormatError, nearest


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"(\w+Error)(?: \(|  |$)", errors.__doc__ or "", flags=re.MULTILINE))
    defined = {n for n in errors.__all__ if isinstance(getattr(errors, n), type)}
    assert drawn == defined
    assert errors.__all__ == sorted(errors.__all__)
    assert all(issubclass(getattr(errors, n), CardioFlowError) for n in defined)


def test_record_and_step_stand_at_the_end_unless_the_sentence_names_them() -> None:
    assert (
        str(FormatError("It is short.", record="A1", step="1, load()")) == "It is short. [record 'A1', step 1, load()]"
    )
    assert str(FormatError("'A1' is short.", record="A1")) == "'A1' is short."


def test_an_error_survives_pickling_with_its_place() -> None:
    again = pickle.loads(pickle.dumps(FormatError("x", record="A1", step="s")))
    assert (str(again), again.record) == ("x [record 'A1', step s]", "A1")
    both = BadRecordsError({"A1": FormatError("x"), "A2": FormatError("y")})
    assert str(pickle.loads(pickle.dumps(both))) == "x (and 1 more records failed)"


def test_the_nearest_names_or_all_of_few_are_offered() -> None:
    assert nearest("wfbd", ["wfdb", "edf"]) == "Did you mean 'wfdb'?"
    assert nearest("zzz", ["b", "a"]) == "There are: 'a', 'b'."
    assert nearest("zzz", []) == "There are none."
