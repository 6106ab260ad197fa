"""Arrays of a worker that its parent reads where they were made: never copied, and never written again too early."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from cardioflow.core import buffers
from cardioflow.pipeline.workers.blocks import BlockReader, BlockWriter
from cardioflow.pipeline.workers.parcels import pack, unpack
from cardioflow.pipeline.workers.shared_arrays import SharedArrays, SharedReader
from cardioflow.pipeline.workers.worker import block_names

pytestmark = pytest.mark.skipif(not SharedArrays.are_available(), reason="only Linux has memory without a name")
N = 50_000


class Both:
    """A worker and its parent in one process."""

    def __init__(self, most_lent: int = 2) -> None:
        names = block_names()
        self.shared, self.lent = SharedArrays(), SharedReader(most_lent)
        self.writer, self.reader = BlockWriter(names), BlockReader(names, 2)

    def sent(self, value):
        parcel = pack(value, self.writer, self.shared)
        self.lent.close(self.shared.closed())
        self.lent.open(parcel.opened, iter(self.shared.descriptors(parcel.opened)).__next__)
        return unpack(parcel, self.reader, self.lent)

    def freed(self) -> None:
        self.shared.free(self.lent.freed())
        self.writer.free(self.reader.freed())


@pytest.fixture
def both(monkeypatch):
    made = Both()
    # Without the blocks of other tests.
    empty = buffers._Pool()
    for name in ("_blocks", "_by_size", "n_bytes", "largest", "make"):
        monkeypatch.setattr(buffers._pool, name, getattr(empty, name))
    buffers.make_blocks_with(made.shared.block, 1 << 25)
    yield made
    made.reader.close()
    made.writer.close()


def filled(value: float, n: int = N):
    made = buffers.empty(n, np.float32)
    made[:] = value
    return made


def n_descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_an_array_arrives_where_it_was_made_and_others_are_copied(both):
    own = filled(1.0)
    # A part of an array, an array of other memory, and one too small to leave the text, in an order that mixes them.
    found = both.sent([np.arange(N), own[100:40_000], np.arange(3), own, np.ones(N)])
    for made, expected in zip(found, [np.arange(N), own[100:40_000], np.arange(3), own, np.ones(N)], strict=True):
        np.testing.assert_array_equal(made, expected)
    own[200] = 7.0
    assert (found[1][100], found[3][200]) == (7.0, 7.0)
    assert not np.shares_memory(found[3], own)


def test_memory_is_written_again_only_when_neither_process_has_an_array_there(both):
    own = filled(1.0)
    address = own.__array_interface__["data"][0]
    found = both.sent([own, np.arange(3)])[0]
    view = found[10:20]
    del own, found
    both.freed()
    assert filled(2.0).__array_interface__["data"][0] != address
    assert view.tolist() == [1.0] * 10
    del view
    both.freed()
    again = [filled(3.0) for _ in range(2)]
    assert address in {array.__array_interface__["data"][0] for array in again}


def test_an_array_that_the_worker_sends_twice_is_freed_twice(both):
    own = filled(1.0)
    address = own.__array_interface__["data"][0]
    first, second = both.sent(own), both.sent(own)
    del own, first
    both.freed()
    assert filled(2.0).__array_interface__["data"][0] != address
    assert (second == 1.0).all()


def test_what_is_kept_beyond_the_limit_is_copied_and_its_memory_freed_at_once(both):
    kept = []
    for value in range(6):
        own = filled(value)
        kept.append(both.sent(own))
        del own
        both.freed()
    assert [array[0] for array in kept] == list(range(6))
    assert len(both.shared._sent) == 2


def test_blocks_that_die_are_closed_in_both_processes(both, monkeypatch):
    before = n_descriptors()
    monkeypatch.setattr(buffers, "_KEPT_PER_SIZE", 0)
    for value in range(30):
        found = both.sent(filled(value, N + 10_000 * value))
        assert (found == value).all()
        del found
        both.freed()
    gc.collect()
    both.sent(None)
    # One block for texts, and one for arrays, are open in each of the two; each takes up to two descriptors.
    assert len(both.shared._blocks) <= 1
    assert len(both.lent._blocks) <= 1
    assert n_descriptors() <= before + 8


def test_a_worker_that_keeps_many_arrays_gets_ordinary_memory_for_the_rest(both):
    kept = [filled(value) for value in range(30)]
    assert len(both.shared._blocks) == 24
    assert [array[-1] for array in kept] == list(range(30))
    assert both.sent(kept[-1])[0] == 29


def test_an_array_of_other_memory_is_not_taken_for_one_in_a_block(both):
    own = filled(1.0)
    place = both.shared.place_of(memoryview(own).cast("B"))
    assert place is not None
    assert (place.start, place.size) == (0, 4 * N)
    assert both.shared.place_of(memoryview(np.ones(N)).cast("B")) is None
