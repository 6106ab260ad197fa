"""What a worker and its parent tell each other arrives as it was sent, and what cannot be sent is named."""

from __future__ import annotations

import functools
import pickle
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset
from cardioflow.core.equality import same
from cardioflow.pipeline.data.locations import FileLocation, StoreLocation
from cardioflow.pipeline.step_times import TimedBatch
from cardioflow.pipeline.workers.blocks import BlockReader, BlockWriter
from cardioflow.pipeline.workers.messages import asked, contents_of, made_of, task_of
from cardioflow.pipeline.workers.parcels import pack, unpack
from cardioflow.pipeline.workers.portable import reason_not_portable


def sent(value):
    return pickle.loads(pickle.dumps(value, protocol=5))


@pytest.fixture
def files(cinc) -> EcgBatch:
    return EcgDataset(sorted(cinc.glob("*.hea"))[:4]).next_batch(4)


@pytest.fixture
def stored(cinc, tmp_path) -> EcgBatch:
    return EcgDataset(sorted(cinc.glob("*.hea"))[:4]).pack(tmp_path / "store").next_batch(4)


def test_files_travel_as_text_and_arrive_as_files(files):
    message = asked(files)
    assert message.batch.locations is None
    assert message.paths == tuple(str(own) for own in files.locations)
    arrived = task_of(sent(message))
    assert arrived.locations == files.locations
    assert all(type(own) is FileLocation for own in arrived.locations)
    assert arrived.ids == files.ids
    np.testing.assert_array_equal(arrived.provenance.key, files.provenance.key)


def test_rows_of_one_store_travel_as_numbers_and_keep_the_checksum(stored):
    message = asked(stored)
    assert message.store is not None
    assert message.paths is None
    arrived = task_of(sent(message))
    assert arrived.locations == stored.locations
    assert all(type(own) is StoreLocation for own in arrived.locations)
    np.testing.assert_array_equal(arrived.load().signal.data, stored.load().signal.data)


def test_records_of_several_kinds_travel_as_they_are(files, stored):
    both = EcgBatch.concat([files, stored.replace(ids=tuple(f"s{k}" for k in range(4)))])
    message = asked(both)
    assert message.paths is None
    assert message.store is None
    assert task_of(sent(message)).locations == both.locations


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [3, 1], [2, 2, 0], []])
def test_rows_that_were_taken_keep_the_place_of_their_record(files, rows):
    task = task_of(sent(asked(files)))
    made = task.take(np.array(rows, np.intp))
    contents = contents_of(made, task)
    assert contents.batch.locations is None
    back = made_of(sent(contents), files.locations)
    assert [str(own) for own in back.locations or ()] == [str(files.locations[i]) for i in rows]
    assert back.ids == made.ids


def test_a_place_that_a_step_made_itself_travels_with_the_batch(files):
    task = task_of(sent(asked(files)))
    made = task.replace(locations=(FileLocation("/elsewhere/x.hea"), *task.locations[1:]))
    contents = contents_of(made, task)
    assert contents.places is None
    assert made_of(sent(contents), files.locations).locations == made.locations


def test_times_of_steps_travel_beside_the_batch(files):
    task = task_of(sent(asked(files)))
    back = made_of(sent(contents_of(TimedBatch(task, ()), task)), files.locations)
    assert isinstance(back, TimedBatch)
    assert back.batch.locations == files.locations


@pytest.fixture
def blocks():
    name = f"cf_test_{np.random.default_rng().integers(1 << 40):x}_"
    writer, reader = BlockWriter(name), BlockReader(name, 4)
    yield writer, reader
    writer.close()
    reader.close()


@pytest.mark.parametrize(
    "value",
    [
        np.arange(100_000, dtype=np.int16),
        np.zeros((0, 3), np.float32),
        np.asfortranarray(np.arange(24_000.0).reshape(200, 120)),
        np.arange(100_000)[::2],
        {"a": np.arange(5000.0), "b": [np.arange(7), "text", None, 3 + 4j]},
        np.array(["a", None, (1, 2)], object),
        "text",
        b"x" * 100_000,
    ],
    ids=["integers", "empty", "Fortran", "strided", "nested", "objects", "text", "bytes"],
)
def test_a_value_arrives_equal_with_its_type_and_order(blocks, value):
    writer, reader = blocks
    parcel = pack(value, writer)
    back = unpack(sent(parcel), reader)
    assert type(back) is type(value)
    assert same(back, value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype
        assert back.flags.f_contiguous or not value.flags.f_contiguous


def test_arrays_that_arrived_are_not_changed_by_what_is_sent_next(blocks):
    writer, reader = blocks
    first = unpack(pack(np.full(50_000, 1.0), writer), reader)
    writer.free(reader.freed())
    second = unpack(pack(np.full(50_000, 2.0), writer), reader)
    assert (first == 1).all()
    assert (second == 2).all()
    del first
    assert len(reader.freed()) == 1


def test_what_is_read_beyond_the_limit_is_a_copy_that_frees_its_block(blocks):
    writer, reader = blocks
    kept = [unpack(pack(np.full(50_000, float(k)), writer), reader) for k in range(6)]
    assert len(reader.freed()) == 2, "two of six were copied"
    assert [own[0] for own in kept] == [0, 1, 2, 3, 4, 5]


# -- what can be sent ------------------------------------------------------------------------


def named(x):
    return x


class Named:
    def method(self):
        return self


class Stubborn:
    def __reduce__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value", [named, Named, Named(), Named().method, functools.partial(named, 1), np.sin, len, [{"a": (named,)}], None]
)
def test_what_another_process_can_import_is_portable(value):
    assert reason_not_portable(value) == ""


def test_what_it_cannot_import_is_named_with_its_place():
    def inner(x):
        return x

    class Inner:
        pass

    here = Path(__file__).name
    for value in (lambda x: x, [1, {"deep": lambda x: x}], functools.partial(lambda x: x)):
        reason = reason_not_portable(value)
        assert "<lambda>" in reason
        assert "is a lambda" in reason
        assert f"{here}, line " in reason
    assert "inner" in reason_not_portable(inner)
    assert "is defined inside a function" in reason_not_portable(inner)
    assert reason_not_portable(Inner).startswith("the class ")
    assert "is defined inside a function" in reason_not_portable(Inner())
    assert reason_not_portable(Stubborn()) == "it cannot be pickled (RuntimeError: no)"
    assert "cannot pickle" in reason_not_portable(x for x in "ab")


def test_large_arrays_are_not_copied_to_find_out():
    # 8 GB that nobody wrote to take no memory, and a copy would.
    assert reason_not_portable({"x": np.zeros(1 << 30)}) == ""
