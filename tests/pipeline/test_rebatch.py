"""Rebatch fills batches up after a filter, keeps epochs apart, and loses neither rows nor reports."""

from __future__ import annotations

import pytest

from cardioflow import B
from cardioflow.batch.ecg_batch import Skipped
from cardioflow.errors import InputError
from cardioflow.pipeline.steps.rebatch import Rebatch


def fails_on(*names):
    def check(signal, name):
        if name in names:
            raise InputError("not this one", record=name)
        return signal

    return check


def test_batches_are_filled_up_and_the_last_of_an_epoch_is_smaller(twelve, loading):
    run = (twelve >> loading.rebatch(5)).batches(4, n_epochs=2)
    assert [(b.epoch, len(b)) for b in run] == [(0, 5), (0, 5), (0, 2), (1, 5), (1, 5), (1, 2)]


def test_drop_last_leaves_the_small_rest_of_every_epoch_out(twelve, loading):
    run = (twelve >> loading.rebatch(5, drop_last=True)).batches(4, n_epochs=2)
    assert [(b.epoch, b.ids[0], len(b)) for b in run] == [
        (0, "sim00000", 5),
        (0, "sim00005", 5),
        (1, "sim00000", 5),
        (1, "sim00005", 5),
    ]


@pytest.mark.parametrize("size", [1, 3, 5, 12, 50])
@pytest.mark.parametrize("drop_last", [False, True])
def test_skipped_records_are_listed_once_whatever_the_sizes(twelve, loading, size, drop_last):
    template = loading.apply_transform(fails_on("sim00001", "sim00006", "sim00011"), B("ids")).rebatch(
        size, drop_last=drop_last
    )
    run = (twelve >> template).run(batch_size=4, on_error="skip")
    assert [s.record for s in run.skipped] == ["sim00001", "sim00006", "sim00011"]


def test_one_batch_is_cut_into_several_in_order(twelve, loading):
    rows = [b.ids for b in (twelve >> loading.split_signals(100, 100).unstack_signals().rebatch(7)).batches(12)]
    assert [len(ids) for ids in rows] == [7, 7, 7, 7, 7, 7, 6]
    flat = [name for ids in rows for name in ids]
    assert flat == [f"sim{i:05d}/{k}" for i in range(12) for k in range(4)]


def test_a_second_rebatch_gets_what_the_first_held_back(twelve, loading):
    assert [len(b) for b in (twelve >> loading.rebatch(5).rebatch(4)).batches(3)] == [4, 4, 4]


def test_its_stream_goes_on_from_a_state(twelve, loading):
    batches = list((twelve >> loading).batches(4))
    whole, begun, resumed = (Rebatch(5).start() for _ in range(3))
    expected = [b.ids for batch in batches for b in whole.push(batch)] + [b.ids for b in whole.flush()]
    found = [b.ids for b in begun.push(batches[0])]
    resumed.restore(begun.state())
    found += [b.ids for batch in batches[1:] for b in resumed.push(batch)] + [b.ids for b in resumed.flush()]
    assert found == expected


def test_skipped_records_are_listed_by_the_batch_that_replaces_them(twelve, loading):
    lost = [Skipped(f"lost{i}", "1, load()", InputError("not this one")) for i in range(3)]
    first, second, third = (b.replace(skipped=(s,)) for b, s in zip((twelve >> loading).batches(4), lost, strict=True))
    stream = Rebatch(5).start()
    made = [*stream.push(first), *stream.push(second), *stream.push(third), *stream.flush()]
    assert [(b.ids[0], len(b), [s.record for s in b.skipped]) for b in made] == [
        ("sim00000", 5, ["lost0", "lost1"]),
        ("sim00005", 5, ["lost2"]),
        ("sim00010", 2, []),
    ]
    stream = Rebatch(5, drop_last=True).start()
    assert stream.push(first) == []
    assert [(len(b), b.skipped) for b in stream.flush()] == [(0, (lost[0],))]
    assert stream.flush() == []
