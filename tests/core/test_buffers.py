"""A buffer is reused only after its last view is gone, and the kept memory is bounded."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cardioflow.core.buffers import LIMIT, _pool, _size_class, empty

N = 300_000


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_empty_returns_an_ordinary_array() -> None:
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


def test_a_buffer_with_a_live_view_is_not_reused() -> None:
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


def test_at_most_four_buffers_of_a_size_are_kept() -> None:
    many = [empty(N, np.float32) for _ in range(20)]
    before = _pool.n_bytes
    del many
    assert _pool.n_bytes - before <= 4 * _size_class(N * 4)


def test_kept_buffers_stay_within_the_limit() -> None:
    sizes = [n for octave in range(17, 23) for n in range(1 << octave, 1 << (octave + 1), 1 << (octave - 3))]
    many = [empty(n, np.uint8) for n in sizes for _ in range(4)]
    assert sum(array.nbytes for array in many) > 3 * LIMIT
    del many
    assert LIMIT / 2 < _pool.n_bytes <= LIMIT
    held = [block.size for block in _pool._blocks.values()]
    assert sum(held) == _pool.n_bytes


def test_a_full_pool_drops_the_buffer_freed_longest_ago() -> None:
    old = empty(1 << 18, np.uint8)
    at = _address(old)
    del old
    assert at in [_address(block) for block in _pool._blocks.values()]
    many = [empty(5 << 20, np.uint8) for _ in range(4)] + [empty(8 << 20, np.uint8) for _ in range(4)]
    del many
    assert at not in [_address(block) for block in _pool._blocks.values()]
    assert _pool.n_bytes <= LIMIT


def test_a_locked_pool_does_not_block() -> None:
    with _pool._lock:
        before = _pool.n_bytes
        array = empty(N, np.float32)
        array[:] = 1
        del array
        assert _pool.n_bytes == before


@pytest.mark.parametrize("n_bytes", [1 << 17, 131_073, 1_800_000, 4_000_000, 1 << 23])
def test_a_block_is_at_most_a_quarter_larger_than_requested(n_bytes: int) -> None:
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
