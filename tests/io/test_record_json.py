"""Metadata goes into a file as JSON and comes back, from files of earlier versions too."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from cardioflow.batch.annotation import Annotation
from cardioflow.core.equality import same
from cardioflow.errors import FormatError, InputError
from cardioflow.io._packed import columns
from cardioflow.io._record_json import from_json, marks_from, marks_to, to_json

NAIVE = datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001 -- most files do not know their zone

META: dict[str, Any] = {
    "fs": 500.0,
    "leads": ("I", "II"),
    "timestamp": NAIVE,
    "age": 61,
    "gain": math.nan,
    "limits": (-math.inf, math.inf),
    "more": {"x": (1, None), 3: "three", "$k": True},
    "raw": b"\x00\x01",
    "$odd": 1,
}


def test_metadata_survive_a_round_trip_with_their_types() -> None:
    assert same(from_json(to_json(META)), META)


def test_values_that_json_cannot_hold_are_left_out_and_the_rest_is_kept() -> None:
    assert from_json(to_json({"fs": 1.0, "f": print, "x": [1, object()], "m": {"a": 1, "b": print}})) == {
        "fs": 1.0,
        "m": {"a": 1},
    }


def test_arrays_sets_and_numpy_numbers_become_plain_ones() -> None:
    given = {"gain": np.array([200.0, 100.0]), "n": np.int16(3), "codes": {2, 1}}
    assert same(from_json(to_json(given)), {"gain": (200.0, 100.0), "n": 3, "codes": (1, 2)})


def test_a_text_of_the_version_before_is_still_read() -> None:
    text = (
        '{"fs": 500.0, "timestamp": {"datetime": "2020-01-02T03:04:05"}, "comments": ["a", "b"], "age": null, '
        '"x": [1, 2], "d": {"y": [1], "3": "z"}, "datetime": "2020", "s": [3]}'
    )
    assert same(
        from_json(text),
        {
            "fs": 500.0,
            "timestamp": NAIVE,
            "comments": ("a", "b"),
            "age": None,
            "x": (1, 2),
            "d": {"y": (1,), "3": "z"},
            "datetime": "2020",
            "s": (3,),
        },
    )
    assert from_json('{"t": {"datetime": "yesterday"}, "u": {"datetime": 5}}') == {"t": None, "u": {"datetime": 5}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "^holds metadata that cannot be read: The text is not JSON"),
        ("[1]", "^holds metadata that cannot be read: Expected a JSON object, and the text holds a value of type list"),
        ('{"t": {"$datetime": "now"}}', r"The value at t does not hold a value for '\$datetime'"),
        ('{"a":' * 200 + "1" + "}" * 200, "levels deep"),
        ('{"a": {"$array": ["x"], "dtype": "S1000000000"}}', "The value at a has the dtype 'S1000000000'"),
    ],
)
def test_metadata_that_cannot_be_read_is_a_format_error(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        from_json(text)


def test_a_packed_value_survives_a_round_trip_with_its_type() -> None:
    value = {**META, "gain": np.array([[1.5, np.nan]], np.float32), "when": datetime(2020, 1, 2, tzinfo=UTC), "l": [1]}
    assert same(columns.from_json(columns.to_json(value)), value)


def test_a_packed_value_of_the_version_before_is_still_read() -> None:
    text = (
        '{"$dict":[["a",{"$tuple":[1,2.5,null]}],["t",{"$datetime":"2020-01-02T03:04:05"}],["l",[true,"x"]],'
        '["n",NaN],["s",1.5],["d",{"$dict":[["x",{"$tuple":[]}],["$k",1]]}]]}'
    )
    assert same(
        columns.from_json(text),
        {"a": (1, 2.5, None), "t": NAIVE, "l": [True, "x"], "n": math.nan, "s": 1.5, "d": {"x": (), "$k": 1}},
    )


def test_a_value_that_cannot_be_packed_names_its_column() -> None:
    with pytest.raises(InputError, match=r"^The value at reader\[1\] is of the type builtin_function_or_method"):
        columns.encoded([(1, print)], "reader")


def test_rows_that_share_an_array_share_it_once() -> None:
    rows = [{"gain": np.array([1.0, np.nan]), "age": n, "nan": math.nan} for n in (1, 2)]
    assert set(columns.constants_of(rows)) == {"gain", "nan"}


def test_annotations_survive_a_round_trip_with_all_columns() -> None:
    marks = Annotation(
        sample=np.array([10, 20]),
        symbol=np.array(["N", "[42]"]),
        aux_note=("", "(AFIB"),
        duration_s=np.array([0.0, 1.5]),
        confidence=np.array([0.5, np.nan]),
    )
    again = marks_from(from_json(to_json(marks_to(marks))))
    for name in ("sample", "symbol", "channel", "num", "subtype", "duration_s", "confidence"):
        assert same(getattr(again, name), getattr(marks, name)), name
    assert again.aux_note == marks.aux_note


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"sample": ["x"]}, "^holds annotations that cannot be read: "),
        (
            {"sample": [1, 2], "symbol": ["N"]},
            r"^holds annotations whose columns have the lengths \[0, 1, 2\]",
        ),
        ({"symbol": ["N" * 65]}, "^holds a symbol of more than 64 characters among its annotations"),
    ],
)
def test_annotations_that_cannot_be_read_are_a_format_error(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        marks_from(columns)


def test_known_and_unknown_confidences_survive_a_round_trip():
    marks = Annotation(sample=np.array([3, 9]), confidence=np.array([0.25, np.nan]))
    stored = json.loads(json.dumps(marks_to(marks)))
    assert stored["confidence"] == [0.25, None]
    assert marks_from(stored) == marks
    assert "confidence" not in marks_to(Annotation(sample=np.array([3])))
    with pytest.raises(FormatError, match="whose columns have the lengths"):
        marks_from({**stored, "confidence": [0.5]})
