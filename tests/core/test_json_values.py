"""Every value survives JSON with its type, and reading takes resources in proportion to the length of the text."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioflow.core.equality import same
from cardioflow.core.json_values import Form, JsonCodec, Limits, Misfit, parse
from cardioflow.errors import FormatError, InputError

CODEC = JsonCodec()
PLAIN = JsonCodec(plain=True)

NAIVE = datetime(2020, 1, 2, 3, 4, 5, 600)  # noqa: DTZ001 -- most files do not know their zone

VALUES: list[Any] = [
    None,
    True,
    0,
    -(2**70),
    0.1,
    math.nan,
    math.inf,
    -math.inf,
    1 - 2j,
    complex(math.nan, -math.inf),
    "",
    'ä "\n\x00\ud800',
    [],
    [1, [2.5, [None]]],
    (),
    (1, ("x", [])),
    {},
    {"a": 1, "b": {"c": (2,)}},
    {"$tuple": 1},
    {"$": {}, "$dict": []},
    {1: "x", (2, 3): "y", None: "z", "t": 4},
    {1, 2, 3},
    frozenset({"a", "b"}),
    slice(None),
    slice(1, -1, 2),
    b"",
    b"\x00\xff",
    Path("data/a b.hea"),
    NAIVE,
    datetime(2020, 1, 2, tzinfo=UTC),
    datetime(2020, 1, 2, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    date(1970, 12, 31),
    np.array([[1.5, np.nan], [np.inf, -0.0]]),
    np.array([1, 2, 3], np.float32),
    np.array([1e-7, 65504], np.float16),
    np.array([-128, 127], np.int8),
    np.array([2**64 - 1], np.uint64),
    np.array([1, 2], ">i2"),
    np.array([True, False]),
    np.array([[1 + 2j], [complex(np.nan, 1)]], np.complex64),
    np.array(["N", "~", "Afib"]),
    np.array(["N"], "<U12"),
    np.array(["", ""]),
    np.zeros((0, 3)),
    np.zeros((2, 0, 4), np.int32),
    np.array(3.5),
    np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
    np.float32(0.1),
    np.float64(0.1),
    np.float64("nan"),
    np.int16(-3),
    np.bool_(True),
    np.complex128(1 + 2j),
    np.str_("label"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: f"{type(v).__name__} {v!r:.30}".replace("\n", " "))
def test_a_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    text = CODEC.to_text(value)
    assert same(CODEC.from_text(text), value)
    assert same(CODEC.from_text(text.encode()), value)
    # Inside of everything that holds values, too.
    outer = [value, (value,), {"k": value}, {3: value}]
    assert same(CODEC.from_text(CODEC.to_text(outer)), outer)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates()
_KEYS = st.text() | st.integers() | st.tuples(st.integers(), st.text())
_ANY = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(_KEYS, inner),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(_ANY)
def test_any_nested_value_comes_back(value: Any) -> None:
    assert same(CODEC.from_text(CODEC.to_text(value)), value)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        _SCALARS.filter(lambda v: not isinstance(v, bytes | date)),
        lambda inner: (
            st.lists(inner)
            | (
                st.dictionaries(
                    st.sampled_from(
                        [
                            "$array",
                            "$scalar",
                            "$dict",
                            "$set",
                            "$slice",
                            "$path",
                            "$bytes",
                            "$date",
                            "$datetime",
                            "$float",
                            "$complex",
                            "$tuple",
                            "dtype",
                            "shape",
                            "x",
                        ]
                    ),
                    inner,
                )
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_gives_a_value_or_a_format_error(form: Any) -> None:
    try:
        CODEC.from_text(json.dumps(form))
    except FormatError:
        return


class Colour(StrEnum):
    RED = "red"


class Old(str, Enum):  # noqa: UP042 -- the way of writing it before StrEnum
    RED = "red"


class Number(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (Colour.RED, "red"),
        (Old.RED, "red"),
        (Number.ONE, 1),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": (1,)}), {"a": (1,)}),
        (type("Half", (float,), {})(0.5), 0.5),
    ],
)
def test_a_subclass_is_written_as_what_it_extends(value: Any, read: Any) -> None:
    assert same(CODEC.from_text(CODEC.to_text(value)), read)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2: object()}]}, r"^The value at a\[1\]\[2\] is of the type object, which has no JSON form\.$"),
        ((1, print), r"^The value at \[1\] is of the type builtin_function_or_method, which has no JSON form\.$"),
        (np.array([object()]), r"^The value holds values of the dtype object, which has no JSON form\.$"),
        (np.zeros(2, "S4"), r"dtype \|S4"),
        (np.zeros(2, [("x", "f4")]), "dtype"),
        (np.longdouble(1), "dtype float128"),
        (np.datetime64("2020-01-01"), r"dtype datetime64\[D\]"),
    ],
)
def test_an_error_for_an_unsupported_value_names_the_place(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CODEC.to_text(value)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InputError, match="nested in more than 100 levels, or holds itself"):
        CODEC.to_text(value)


def test_equal_sets_give_equal_texts() -> None:
    assert CODEC.to_text({"b", "c", "a"}) == '{"$set":["a","b","c"]}'
    assert CODEC.to_text(frozenset({30, 4})) == '{"$frozenset":[30,4]}'


def test_the_writer_and_the_reader_allow_the_same_nesting() -> None:
    most, more = (json.loads("[" * n + "]" * n) for n in (100, 101))
    assert CODEC.from_text(CODEC.to_text(most)) == most
    with pytest.raises(InputError, match="more than 100 levels"):
        CODEC.to_text(more)
    with pytest.raises(FormatError, match="more than 100 levels"):
        CODEC.from_text(json.dumps(more))


def test_deeply_nested_values_that_can_be_written_can_be_read() -> None:
    value: Any = 1
    for levels in range(1, 300):
        value = (value,)
        try:
            text = CODEC.to_text(value)
        except InputError:
            assert levels == 51  # a tuple is an object with a list: two levels each
            return
        assert CODEC.from_text(text) == value
    pytest.fail("no limit")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1,]", "not JSON"),
        ("1" * 5000, "not JSON"),
        ("[" * 100_000, "levels deep"),
        ('{"a":' * 101 + "1" + "}" * 101, "more than 100 levels deep"),
        ('{"$foo": 1}', r"has the unknown tag '\$foo'\. "),
        ('{"a": {"b": [0, {"$tupel": []}]}}', r"^The value at a\.b\[1\] has the unknown tag '\$tupel'\. Did you mean"),
        ('{"$tuple": 1}', r"holds 1 as '\$tuple'; expected a list"),
        ('{"$tuple": [], "x": 1}', r"has the entries '\$tuple, x'; expected beside '\$tuple': nothing"),
        ('{"$array": [1]}', r"expected beside '\$array': dtype, shape \(optional\)"),
        ('{"$dict": [[1]]}', r"at \[0\] holds \[1\]; expected a pair"),
        ('{"$dict": [[[], 1]]}', r"does not hold a value for '\$dict': unhashable"),
        ('{"$set": [{}]}', r"does not hold a value for '\$set': unhashable"),
        ('{"$slice": [1]}', r"does not hold a value for '\$slice'"),
        ('{"$slice": 3}', r"does not hold a value for '\$slice'"),
        ('{"$complex": ["x", 1]}', "holds the float 'x'; expected 'nan'"),
        ('{"$complex": [null, 1]}', "holds None; expected a number"),
        ('{"$float": "NaN"}', "holds the float 'NaN'; expected 'nan', 'inf' or '-inf'"),
        ('{"$float": []}', r"holds the float \[\]"),
        ('{"$bytes": "*"}', r"does not hold a value for '\$bytes'"),
        ('{"$path": 1}', r"holds 1 as '\$path'; expected text"),
        ('{"$datetime": "now"}', r"does not hold a value for '\$datetime': Invalid isoformat"),
        ('{"$date": null}', r"holds None as '\$date'"),
    ],
)
def test_an_error_in_malformed_json_names_the_place(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        CODEC.from_text(text)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"$array": ["x"], "dtype": "S1000000000"}, "has the dtype 'S1000000000'; expected one of bool"),
        ({"$array": ["x"], "dtype": "|V1000000000"}, "has the dtype"),
        ({"$array": [1], "dtype": "O"}, "has the dtype 'O'"),
        ({"$array": [1], "dtype": "<M8[s]"}, "has the dtype"),
        ({"$array": [1], "dtype": "(1000000000,)f4"}, "has the dtype"),
        ({"$array": [1], "dtype": "f4,f4"}, "has the dtype"),
        ({"$array": [1], "dtype": ["f4"]}, "has the dtype"),
        ({"$array": [1], "dtype": "<f4", "shape": [10000000000000, 1]}, "has the shape"),
        ({"$array": [1], "dtype": "<f4", "shape": [1000000000]}, "has 1 values for the shape"),
        ({"$array": [1], "dtype": "<f4", "shape": [-1]}, "has the shape"),
        ({"$array": [1], "dtype": "<f4", "shape": [True]}, "has the shape"),
        ({"$array": [], "dtype": "<f4", "shape": [0] * 100}, "does not hold a value"),
        ({"$array": 1, "dtype": "<f4", "shape": []}, "expected a list of values"),
        ({"$array": [[1], [1, 2]], "dtype": "<f4"}, "lists of the lengths"),
        ({"$array": [[1], 2], "dtype": "<f4"}, r"at \[0\] holds \[1\]; expected a value of the dtype float32"),
        ({"$array": [0, "1"], "dtype": "<f4", "shape": [2]}, r"at \[1\] holds '1'"),
        ({"$array": [300], "dtype": "|i1", "shape": [1]}, "does not hold a value"),
        ({"$array": [1.5], "dtype": "<i4", "shape": [1]}, "holds 1.5; expected a value of the dtype int32"),
        ({"$array": [1], "dtype": "|b1", "shape": [1]}, "holds 1; expected a value of the dtype bool"),
        ({"$array": [1, 2, 3], "dtype": "<c8", "shape": [1]}, "expected pairs"),
        ({"$array": [10**400], "dtype": "<f8", "shape": [1]}, "does not hold a value"),
        ({"$scalar": [1, 2, 3, 4], "dtype": "<c8"}, "holds 2 values; expected one"),
        ({"$scalar": [1], "dtype": "<f8"}, r"holds \[1\]"),
        ({"$array": ["a" * 100_000, *[""] * 100_000], "dtype": "<U1", "shape": [100_001]}, "pads 100001 texts"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_an_array_that_claims_more_than_it_holds_is_refused(form: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        CODEC.from_text(json.dumps(form))


def test_a_small_text_takes_little_memory_whatever_dtype_it_claims() -> None:
    text = json.dumps({"$array": ["N"] * 50, "dtype": "<U399999999", "shape": [50]})
    tracemalloc.start()
    found = CODEC.from_text(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.tolist() == ["N"] * 50
    assert found.dtype == "<U1"
    assert peak < 1 << 20


def test_limits_are_checked_before_anything_is_built() -> None:
    limits = Limits(characters=20, values=5, levels=2)
    assert parse('{"a": [1, 2]}', limits) == {"a": [1, 2]}
    for text, message in (
        ('"' + "x" * 20 + '"', "22 bytes, and at most 20"),
        ("[1,2,3,4,5,6]", "more than 5 values"),
        ("[[[1]]]", "more than 2 levels"),
    ):
        with pytest.raises(FormatError, match=message):
            parse(text, limits)
    with pytest.raises(FormatError, match="Expected JSON text, and a value of type dict was given"):
        parse({"a": 1}, limits)


def test_a_codec_can_be_extended_with_new_types() -> None:
    class Lead:
        def __init__(self, name: str) -> None:
            self.name = name

    def read(form: Any, _: Any) -> Lead:
        if form["$lead"] not in ("I", "II"):
            raise Misfit(f"names the lead {form['$lead']!r}")
        return Lead(form["$lead"])

    codec = JsonCodec([Form("$lead", (Lead,), lambda lead, _: {"$lead": lead.name}, read)])
    (again,) = codec.from_text(codec.to_text([Lead("II")]))
    assert isinstance(again, Lead)
    assert again.name == "II"
    with pytest.raises(FormatError, match=r"^The value at leads\[0\] names the lead 'V9'\.$"):
        codec.decode([{"$lead": "V9"}], "leads")


def test_plain_values_are_plain_json() -> None:
    value = {"fs": np.float32(500), "leads": ("I", "II"), "n": np.array([[1, 2]]), "set": {2, 1}, "f": print, "t": None}
    text = PLAIN.to_text(value)
    assert json.loads(text) == {"fs": 500.0, "leads": ["I", "II"], "n": [[1, 2]], "set": [1, 2], "t": None}
    assert PLAIN.from_text(text) == {"fs": 500.0, "leads": ("I", "II"), "n": ((1, 2),), "set": (1, 2), "t": None}
    assert PLAIN.from_text('{"$schema": "x", "$tuple": [1], "y": [1]}') == {"$schema": "x", "$tuple": (1,), "y": (1,)}
    assert same(PLAIN.from_text(PLAIN.to_text([math.nan, NAIVE])), (math.nan, NAIVE))
