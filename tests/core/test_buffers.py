"""A buffer is used again when nothing looks at it any more, and never before."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cardioflow.core.buffers import _free, _size_class, empty

N = 300_000


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_it_is_an_array_like_any_other() -> None:
    array = empty(N, np.float32)
    array[:] = 1
    assert (array.shape, array.dtype, array.flags.writeable) == ((N,), np.float32, True)
    assert pickle.loads(pickle.dumps(array)).sum() == N
    assert empty(0, np.float32).size == 0
    assert empty(5, np.complex64).dtype == np.complex64


def test_a_freed_buffer_is_used_again() -> None:
    first = empty(N, np.float32)
    at = _address(first)
    del first
    assert _address(empty(N - 10, np.float32)) == at


def test_a_buffer_that_a_view_looks_at_is_not_given_away() -> None:
    array = empty(N, np.float32)
    array[:] = 7
    view = array[10:20].reshape(2, 5)
    at = _address(array)
    del array
    others = [empty(N, np.float32) for _ in range(6)]
    for other in others:
        other[:] = 0
    assert at not in [_address(o) for o in others]
    assert (view == 7).all()


def test_only_a_few_are_kept() -> None:
    many = [empty(N, np.float32) for _ in range(20)]
    del many
    assert len(_free[_size_class(N * 4)]) <= 4


@pytest.mark.parametrize("n_bytes", [1 << 17, 131_073, 1_800_000, 4_000_000, 1 << 23])
def test_a_block_is_at_most_a_quarter_too_large(n_bytes: int) -> None:
    assert n_bytes <= _size_class(n_bytes) <= 1.25 * n_bytes


def test_threads_never_share_a_buffer() -> None:
    def work(mark: int) -> bool:
        for _ in range(200):
            own = empty(N // 8, np.float32)
            own[:] = mark
            if not (own == mark).all():
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
