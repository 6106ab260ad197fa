"""Records of different shape are stored in one read-only buffer and returned as views."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioflow.batch import Ragged
from cardioflow.errors import InputError

SHAPES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20)), min_size=1, max_size=6)


def _ragged(shapes: list[tuple[int, int]]) -> tuple[Ragged, list[np.ndarray]]:
    arrays = [np.random.default_rng(i).normal(size=s).astype(np.float32) for i, s in enumerate(shapes)]
    return Ragged.from_arrays(arrays), arrays


@given(SHAPES)
def test_every_record_is_returned_unchanged(shapes: list[tuple[int, int]]) -> None:
    ragged, arrays = _ragged(shapes)
    assert len(ragged) == len(arrays)
    for got, expected in zip(ragged, arrays, strict=True):
        np.testing.assert_array_equal(got, expected)


@given(SHAPES, st.data())
def test_taking_rows_keeps_their_order_and_values(shapes: list[tuple[int, int]], data: st.DataObject) -> None:
    ragged, arrays = _ragged(shapes)
    rows = data.draw(st.lists(st.integers(0, len(arrays) - 1), max_size=8))
    taken = ragged.take(rows)
    assert len(taken) == len(rows)
    for got, i in zip(taken, rows, strict=True):
        np.testing.assert_array_equal(got, arrays[i])


@given(SHAPES)
def test_joining_the_parts_restores_the_whole(shapes: list[tuple[int, int]]) -> None:
    ragged, _ = _ragged(shapes)
    assert Ragged.concat([ragged[:2], ragged[2:]]) == ragged


def test_a_record_is_a_view_and_a_contiguous_range_is_not_copied() -> None:
    ragged, _ = _ragged([(1, 4), (2, 3), (1, 5)])
    assert np.shares_memory(ragged[1], ragged.data)
    assert np.shares_memory(ragged[1:3].data, ragged.data)


def test_views_are_read_only() -> None:
    source = np.ones((1, 3), np.float32)
    ragged = Ragged(source, [(1, 3)])
    with pytest.raises(ValueError, match="read-only"):
        ragged[0][0, 0] = 5
    source[0, 0] = 2  # the caller's own array is not locked
    assert pickle.loads(pickle.dumps(ragged)).data.flags.writeable is False


def test_dense_is_a_view_if_shapes_agree_and_an_error_otherwise() -> None:
    assert _ragged([(2, 3), (2, 3)])[0].dense().shape == (2, 2, 3)
    assert _ragged([(2, 3)])[0].dense().shape == (1, 2, 3)
    with pytest.raises(InputError, match=r"Records of different shape \(\(1, 4\), \(2, 3\)\) do not make one array\."):
        _ragged([(2, 3), (1, 4)])[0].dense()
    with pytest.raises(InputError, match="no records"):
        Ragged.from_arrays([]).dense()


def test_integers_and_float64_become_float32_and_complex_numbers_complex64() -> None:
    assert Ragged.from_arrays([np.ones((1, 2), np.int16)]).dtype == np.float32
    assert Ragged.from_arrays([np.ones((1, 2)) * 1j]).dtype == np.complex64


def test_shapes_that_do_not_fit_the_data_are_refused() -> None:
    with pytest.raises(InputError, match="holds 3 samples, but its shapes need 4"):
        Ragged(np.zeros(3, np.float32), [(1, 4)])
    with pytest.raises(InputError, match=r"Arrays of \[1, 2\] axes do not fit into one Ragged"):
        Ragged.from_arrays([np.zeros(3), np.zeros((1, 3))])
    with pytest.raises(InputError, match=r"has \[2, 3\] axes cannot be joined"):
        Ragged.concat([Ragged.from_arrays([np.zeros((1, 3))]), Ragged.from_arrays([np.zeros((1, 1, 3))])])


def test_comparison_is_by_value_and_nan_equals_nan() -> None:
    a = Ragged.from_arrays([np.array([[np.nan, 1.0]])])
    assert a == Ragged.from_arrays([np.array([[np.nan, 1.0]])])
    assert a != Ragged.from_arrays([np.array([[np.nan], [1.0]])])
    assert repr(a) == "Ragged(1 records of (1, 2), float32)"


def test_a_record_out_of_range_is_an_index_error() -> None:
    ragged, _ = _ragged([(1, 4)])
    np.testing.assert_array_equal(ragged[-1], ragged[0])
    with pytest.raises(IndexError, match="record 1 of a batch of 1"):
        ragged[1]


def test_shapes_are_kept_as_64_bit_integers() -> None:
    ragged = Ragged(np.zeros(6, np.float32), np.array([[2, 3]], np.int32))
    assert ragged.shapes.dtype == np.int64


def test_what_is_not_ragged_is_never_equal() -> None:
    ragged, _ = _ragged([(1, 4)])
    assert ragged != 3
    assert ragged != ragged[0].tolist()
    assert Ragged.__eq__(ragged, 3) is NotImplemented


def test_other_samples_of_the_same_shapes_must_be_as_many() -> None:
    ragged = Ragged.from_arrays([np.zeros((1, 3)), np.ones((2, 2))])
    with pytest.raises(InputError, match="holds 6 samples, but its shapes need 7"):
        ragged.with_data(np.zeros(6, np.float32))
    other = np.arange(7, dtype=np.float32)
    assert ragged.with_data(other)[1].tolist() == [[3, 4], [5, 6]]
    assert other.flags.writeable
    assert not ragged.with_data(other).data.flags.writeable
