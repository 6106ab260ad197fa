"""Components follow every change of the signal's time according to their kind."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from cardioflow.batch import Annotation, EcgBatch, Meta, Ragged
from cardioflow.batch.columns import Events, Static, TimeSeries, Windows
from cardioflow.batch.columns.infer import as_column
from cardioflow.batch.columns.time_series import _read
from cardioflow.errors import InputError, UnknownNameError


def marks(*samples: int, **columns: list[float]) -> Annotation:
    return Annotation(sample=np.array(samples, np.int64), **{k: np.array(v) for k, v in columns.items()})


@pytest.fixture
def batch() -> EcgBatch:
    """Two records of ten and six samples at 10 Hz, with a component of each kind and type."""
    signals = [np.arange(20.0).reshape(2, 10), 100 + np.arange(12.0).reshape(2, 6)]
    whole = EcgBatch.from_arrays(signals, fs=10, leads=["I", "II"], ids=["a", "b"], annotations=[marks(4), marks(5)])
    return (
        whole.with_component("age", np.array([61, 62]))
        .with_component("place", [np.arange(10.0)[None], np.arange(6.0)[None]], kind="time series")
        .with_component("state", [np.arange(10, dtype=np.int8), np.arange(6, dtype=np.int8)], kind="time series")
        .with_component("mask", [np.arange(10) > 4, np.arange(6) > 4], kind="time series")
        .with_component("beats", (marks(2, 8, confidence=[0.5, 0.9]), marks(0)))
    )


def test_annotations_are_events_and_everything_else_is_static_unless_a_kind_is_passed(batch):
    assert {n: c.kind for n, c in batch.columns.items()} == {
        "age": "static",
        "place": "time series",
        "state": "time series",
        "mask": "time series",
        "beats": "events",
    }
    guess = batch.with_component("scores", batch.place)
    assert guess.columns["scores"].kind == "static"
    assert isinstance(batch.column("signal"), TimeSeries)
    assert isinstance(batch.column("annotation"), Events)
    assert isinstance(batch.column("meta"), Static)


def test_the_kind_is_shown(batch):
    assert repr(batch) == (
        "EcgBatch(2 records: signal, annotation, meta, age, place (time series), state (time series), "
        "mask (time series), beats (events))"
    )


def test_a_component_that_is_replaced_keeps_its_kind(batch):
    assert batch.with_component("mask", [~m for m in batch.mask]).columns["mask"].kind == "time series"
    assert batch.with_component("mask", np.zeros(2), kind="static").columns["mask"].kind == "static"


def test_time_series_keep_integers_and_booleans_and_store_fractions_as_float32(batch):
    types = {n: batch.component(n).dtype for n in ("place", "state", "mask")}
    assert types == {"place": np.float32, "state": np.int8, "mask": np.bool_}
    doubles = Ragged(np.zeros(16), [(10,), (6,)])
    assert batch.with_component("p", doubles, kind="time series").p.dtype == np.float32


def test_an_error_for_a_time_series_of_wrong_length_names_the_record(batch):
    with pytest.raises(InputError) as caught:
        batch.with_component("late", [np.zeros(10), np.zeros(5)], kind="time series")
    assert str(caught.value) == (
        "The time series 'late' has the shape (5,) for record 'b', but the signal has (2, 6). "
        "Pass one value for each sample of the signal, or kind='static'."
    )
    assert caught.value.record == "b"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (("x", "y"), "time series", "of the kind 'time series' holds str; expected numbers"),
        (np.zeros((2, 1, 1, 10)), "time series", r"has 3 axes per row; expected \(time,\) or \(channel, time\)"),
        (("x", "y"), "events", "of the kind 'events' holds str; expected an Annotation per row"),
        (("x", "y"), "series", "cannot be of the kind 'series'. Pass kind='static', 'time series', 'events'"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused(batch, value, kind, text):
    with pytest.raises(InputError, match=text):
        batch.with_component("new", value, kind=kind)


def test_reserved_names_are_refused_and_built_in_components_keep_their_kinds(batch):
    for name in ("take", "fs", "ids", "columns"):
        with pytest.raises(InputError, match=f"A batch has an attribute '{name}' already. Choose another name"):
            batch.with_component(name, np.zeros(2))
    with pytest.raises(InputError, match="Component 'annotation' has the kind 'events', not 'static'"):
        batch.with_component("annotation", (marks(1),) * 2, kind="static")
    with pytest.raises(InputError, match=r"EcgBatch\(columns=…\) holds a ndarray as 'x'.*Call with_component"):
        batch.replace(columns={"x": np.zeros(2)})


def test_a_component_is_removed_by_name(batch):
    less = batch.without_component("mask").without_component("annotation")
    assert "mask" not in less.columns
    assert less.annotation is None
    with pytest.raises(UnknownNameError, match=r"has no component 'mas'.*'mask'"):
        batch.without_component("mas")


def test_every_kind_survives_pickling(batch):
    again = pickle.loads(pickle.dumps(batch))
    assert again.place == batch.place
    assert again.beats == batch.beats
    assert {n: c.kind for n, c in again.columns.items()} == {n: c.kind for n, c in batch.columns.items()}


def test_slicing_slices_all_kinds(batch):
    done = batch.slice_signals(2, 6)
    assert done.place[0].tolist() == [[2, 3, 4, 5]]
    assert done.state[1].tolist() == [2, 3, 4, 5]
    assert done.mask[0].tolist() == [False, False, False, True]
    assert [m.sample.tolist() for m in done.beats] == [[0], []]
    assert done.beats[0].confidence.tolist() == [0.5]
    assert done.age.tolist() == [61, 62]


def test_reversing_time_reverses_all_kinds(batch):
    done = batch.slice_signals(step=-1)
    assert done.state[1].tolist() == [5, 4, 3, 2, 1, 0]
    assert done.place[1].tolist() == [[5, 4, 3, 2, 1, 0]]
    assert done.beats[0].sample.tolist() == [1, 7]
    assert done.beats[0].confidence.tolist() == [0.9, 0.5]


def test_resampling_takes_the_nearest_state_and_filters_floats_like_the_signal(batch):
    long = EcgBatch.from_arrays([np.sin(np.arange(200) / 9)[None]], fs=100)
    long = long.with_component("copy", [long.signal[0][0]], kind="time series")
    long = long.with_component("state", [np.arange(200, dtype=np.uint16)], kind="time series")
    done = long.resample_signals(40)
    assert done.copy[0].tolist() == done.signal[0][0].tolist()
    assert done.state.dtype == np.uint16
    # At a half, the later neighbour is taken: 2.5 becomes 3.
    assert done.state[0][:6].tolist() == [0, 3, 5, 8, 10, 13]
    up = batch.resample_signals(20)
    assert up.state[1].tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5]
    assert up.mask[1].tolist() == [False] * 9 + [True] * 3
    assert up.beats[0].sample.tolist() == [4, 16]


def test_a_complex_time_series_is_resampled_as_real_and_imaginary_parts():
    x = np.sin(np.arange(100) / 5)
    batch = EcgBatch.from_arrays([x[None]], fs=100).with_component("z", [x + 2j * x], kind="time series")
    done = batch.resample_signals(50)
    np.testing.assert_allclose(done.z[0], done.signal[0][0] * (1 + 2j), rtol=1e-6)


def test_padding_is_nan_zero_or_false_by_data_type(batch):
    done = batch.pad_signals(8, -7.0, "left")
    assert done.signal[1][0].tolist() == [-7, -7, 100, 101, 102, 103, 104, 105]
    np.testing.assert_array_equal(done.place[1][0], [np.nan, np.nan, 0, 1, 2, 3, 4, 5])
    assert done.state[1].tolist() == [0, 0, 0, 1, 2, 3, 4, 5]
    assert done.mask[1].tolist() == [False] * 7 + [True]
    assert done.beats[1].sample.tolist() == [2]


def test_cutting_pads_short_records_and_gives_each_segment_its_part(batch):
    done = batch.split_signals(8, 2, pad_value=-1)
    assert done.place[0].tolist() == [[list(range(8))], [list(range(2, 10))]]
    assert done.state[0].tolist() == [list(range(8)), list(range(2, 10))]
    np.testing.assert_array_equal(done.place[1][0, 0], [np.nan, np.nan, 0, 1, 2, 3, 4, 5])
    assert done.state[1].tolist() == [[0, 0, 0, 1, 2, 3, 4, 5]]
    assert [m.sample.tolist() for m in done.beats[0]] == [[2], [0, 6]]


def test_unstacking_and_stacking_apply_to_all_kinds(batch):
    cut = batch.split_signals(4, 3)
    rows = cut.unstack_signals()
    assert [s.tolist() for s in rows.state] == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [0, 1, 2, 3]]
    assert rows.age.tolist() == [61, 61, 61, 62]
    assert [m.sample.tolist() for m in rows.beats] == [[2], [], [2], [0]]
    again = rows.stack_signals()
    assert (again.place, again.state, again.beats) == (cut.place, cut.state, cut.beats)
    assert again.age.tolist() == [61, 62]


def test_a_warp_moves_all_kinds_alike(batch):
    ramp = EcgBatch.from_arrays([np.arange(400.0)[None]], fs=100)
    ramp = ramp.with_component("place", [np.arange(400.0)], kind="time series")
    ramp = ramp.with_component("state", [np.arange(400)], kind="time series")
    done = ramp.with_component("beats", (marks(100, 300),)).random_time_warp(0.5)
    np.testing.assert_array_equal(done.place[0], done.signal[0][0])
    assert np.abs(done.state[0] - done.signal[0][0]).max() <= 0.5 + 1e-4
    assert np.abs(done.place[0][done.beats[0].sample] - [100, 300]).max() <= 1
    assert np.abs(done.signal[0][0] - np.arange(400)).max() > 5


def test_a_gap_in_a_time_series_stays_a_gap_when_it_is_warped():
    gap = np.where(np.arange(400) < 200, np.arange(400.0), np.nan)
    batch = EcgBatch.from_arrays([np.arange(400.0)[None]], fs=100).with_component("gap", [gap], kind="time series")
    done = batch.random_time_warp(0.5)
    early = done.signal[0][0] < 198
    np.testing.assert_allclose(done.gap[0][early], done.signal[0][0][early], atol=1e-3)
    assert np.isnan(done.gap[0][done.signal[0][0] > 200]).all()


def test_tiling_repeats_all_kinds(batch):
    done = batch.tile(2)
    assert done.state[1].tolist() == [0, 1, 2, 3, 4, 5] * 2
    assert done.beats[0].sample.tolist() == [2, 8, 12, 18]


def test_beats_are_cropped_with_their_events_and_time_series(batch):
    done = batch.crop_beats(0.2, 0.1)
    assert done.ids == ("a/0", "b/0")
    assert [s.tolist() for s in done.state] == [[2, 3, 4], [3, 4, 5]]
    assert [m.sample.tolist() for m in done.beats] == [[0], []]


def test_triplets_hold_the_time_series_of_their_three_records(batch):
    three = batch.replace(target=np.array(["A", "N"], dtype=object), classes=("A", "N"))
    done = three.get_triplets(1, 4)
    for i in range(2):
        np.testing.assert_array_equal(done.signal[i][:, 0] % 100, done.place[i][:, 0])
        np.testing.assert_array_equal(done.state[i], done.place[i][:, 0])


def test_a_median_beat_drops_time_series_and_events(batch):
    done = batch.replace(signal=batch.signal).median_beat(0.2, 0.1)
    assert done.signal[0].shape == (2, 3)
    assert list(done.columns) == ["age"]


def test_a_spectrum_keeps_all_kinds_and_time_cannot_change_until_it_is_inverted(batch):
    changed = batch.rfft()
    assert changed.state == batch.state
    with pytest.raises(InputError) as caught:
        changed.slice_signals(2)
    assert str(caught.value) == (
        "The time series 'place' has the shape (1, 10) for record 'a', but the signal has (2, 6). "
        "Call without_component('place') first, or attach it to the signal as it is now."
    )
    for change in (lambda b: b.resample_signals(5), lambda b: b.tile(2), lambda b: b.pad_signals(9)):
        with pytest.raises(InputError, match="The time series 'place' has the shape"):
            change(changed.irfft(n=4))
    assert changed.take([0]).irfft(n=10).slice_signals(2).state[0].tolist() == list(range(2, 10))


def test_dropping_leads_drops_their_events_in_every_set(batch):
    own = (marks(2, 8, channel=[1, 2]), marks(0, channel=[2]))
    done = batch.with_component("beats", own).keep_channels("II")
    assert [m.sample.tolist() for m in done.beats] == [[8], [0]]
    assert [m.channel.tolist() for m in done.beats] == [[1], [1]]


def test_a_pipeline_declares_that_a_result_is_a_time_series(batch):
    missing = batch.apply_transform(np.isnan, dst="missing")
    assert missing.columns["missing"].kind == "static"
    assert missing.set_kind("missing", "time series").slice_signals(7).missing[0].shape == (2, 3)
    with pytest.raises(InputError, match=r"'age' of the kind 'time series' has 0 axes per row; expected \(time,\)"):
        batch.set_kind("age", "time series")


def test_a_standardized_copy_of_a_time_series_is_a_time_series(batch):
    assert batch.standardize(dst="z").columns["z"].kind == "time series"
    assert batch.rfft(dst="bins").columns["bins"].kind == "static"
    assert batch.rfft(src="place", dst="place").columns["place"].kind == "static"


def test_events_are_not_guessed_for_segments_without_their_own(batch):
    stacked = batch.apply_transform(lambda x: np.stack([x, x]))
    with pytest.raises(InputError, match=r"A record of 2 segments has annotations for 1.*Cut with split_signals"):
        stacked.without_component("place").without_component("state").without_component("mask").unstack_signals()


def test_joined_batches_keep_the_rows_of_every_kind(batch):
    joined = EcgBatch.concat([batch[1:], batch[:1]])
    assert joined.beats == (batch.beats[1], batch.beats[0])
    assert [s.tolist() for s in joined.state] == [list(range(6)), list(range(10))]
    assert joined.age.tolist() == [62, 61]
    assert joined.mask.dtype == np.bool_


@pytest.mark.parametrize(
    ("name", "other", "kind", "text"),
    [
        ("age", ("x", "y"), None, r"'age' differs in type \(ndarray, tuple\)"),
        ("age", np.array(["x", "y"]), None, r"'age' holds different arrays \(<U1 of shape \(\), int64 of shape \(\)"),
        ("age", np.zeros((2, 3)), None, r"'age' holds different arrays"),
        ("beats", np.zeros(2), "static", r"'beats' differs in kind \(events, static\)"),
        ("state", [np.zeros(10), np.zeros(6)], None, r"'state' differs in the type of its samples \(float32, int8\)"),
    ],
)
def test_batches_with_different_components_are_not_joined(batch, name, other, kind, text):
    with pytest.raises(InputError, match=text):
        EcgBatch.concat([batch, batch.with_component(name, other, kind=kind)])


def test_a_frame_holds_the_metadata_of_each_record(batch):
    frame = batch.meta.to_frame()
    assert frame["fs"].tolist() == [10.0, 10.0]
    assert frame["leads"].tolist() == [("I", "II")] * 2
    frame.loc[0, "fs"] = 5.0
    assert batch.fs.tolist() == [10.0, 10.0]
    assert Meta({}, 3).to_frame().shape == (3, 0)


def test_a_time_series_of_a_cut_batch_has_as_many_segments_as_the_signal(batch):
    cut = batch.split_signals(4, 3)
    parts = [np.zeros((3, 4)), np.zeros((1, 4))]
    assert cut.with_component("new", parts, kind="time series").columns["new"].is_cut
    with pytest.raises(InputError, match=r"'new' has the shape \(2, 4\) for record 'a'.* has \(3, 2, 4\)"):
        cut.with_component("new", [np.zeros((2, 4)), np.zeros((1, 4))], kind="time series")
    with pytest.raises(InputError, match=r"has 1 axes per row; expected \(segment, time\)"):
        cut.with_component("new", [np.zeros(4), np.zeros(4)], kind="time series")


def test_windows_of_different_lengths_may_extend_beyond_their_record():
    series = TimeSeries(Ragged.from_arrays([np.arange(4.0)[None], np.arange(3.0)[None]]))
    done = series.cut(Windows(np.array([1, -1, 1]), np.array([2, 1]), np.array([4, 3])), None).values
    np.testing.assert_array_equal(done[0], [[[1, 2, 3, np.nan]], [[np.nan, 0, 1, 2]]])
    np.testing.assert_array_equal(done[1], [[[1, 2, np.nan]]])
    first = series.cut(Windows(np.array([0, 0]), np.array([1, 1]), np.array([2, 1])), None).values
    assert [x.tolist() for x in first] == [[[[0, 1]]], [[[0]]]]


def test_a_time_series_that_is_cut_unlike_the_signal_is_refused_with_its_state():
    plain = Ragged.from_arrays([np.zeros((1, 4))])
    segments = Ragged.from_arrays([np.zeros((2, 1, 2))])
    with pytest.raises(InputError, match=r"^The time series 'x' is not cut into segments, unlike"):
        TimeSeries(plain).check_along(segments, "x", ["a"], "Cut it.")
    with pytest.raises(InputError, match=r"^The time series 'x' is cut into segments, unlike"):
        TimeSeries(segments, is_cut=True).check_along(plain, "x", ["a"], "Join it.")


def test_a_window_of_the_whole_record_is_one_segment_of_every_kind():
    batch = EcgBatch.from_arrays([np.arange(4.0)[None], np.arange(4.0, 8.0)[None]], fs=10, ids=["a", "b"])
    batch = batch.with_component("state", [np.array([0, 1, 1, 2]), np.array([2, 2, 0, 0])], kind="time series")
    cut = batch.split_signals(4)
    assert cut.columns["state"].is_cut
    assert [own.tolist() for own in cut.state] == [[[0, 1, 1, 2]], [[2, 2, 0, 0]]]
    rows = cut.unstack_signals()
    assert not rows.columns["state"].is_cut
    assert [own.tolist() for own in rows.state] == [[0, 1, 1, 2], [2, 2, 0, 0]]
    twice = batch.repeat_signal(2)
    assert twice.columns["state"].is_cut
    assert [own.tolist() for own in twice.state] == [[[0, 1, 1, 2]] * 2, [[2, 2, 0, 0]] * 2]


def test_a_column_is_taken_as_it_is(batch):
    column = TimeSeries(batch.component("state"))
    assert as_column("state", column, None, is_cut=False) is column
    assert as_column("state", column, "static", is_cut=False) is column


def test_a_time_series_of_no_rows_keeps_its_axes_and_type():
    none = TimeSeries(Ragged.from_arrays([], ndim=3, dtype=np.int8)).warp([], np.zeros(0))
    assert (none.samples.ndim, none.samples.dtype, len(none)) == (3, np.int8, 0)


def test_samples_that_a_row_lacks_are_blank_in_every_lead():
    places = np.array([-1, 0, 2])
    assert _read(np.array([[1.0, 2.0], [3.0, 4.0]]), places, 9.0).tolist() == [[9.0, 1.0, 9.0], [9.0, 3.0, 9.0]]
    assert _read(np.empty((2, 0)), places, 9.0).tolist() == [[9.0] * 3] * 2


def test_a_complex_time_series_is_warped_part_by_part():
    x = np.sin(np.arange(20.0) / 3)[None]
    places = np.linspace(2, 17, 20)
    both = TimeSeries(Ragged.from_arrays([x + 1j * x[:, ::-1]])).warp([places], np.array([10.0])).samples[0]
    parts = [
        TimeSeries(Ragged.from_arrays([part])).warp([places], np.array([10.0])).samples[0] for part in (x, x[:, ::-1])
    ]
    np.testing.assert_allclose(both, parts[0] + 1j * parts[1], rtol=1e-6)
    np.testing.assert_allclose(parts[0][0], np.sin(places / 3), atol=1e-3)


def test_resampling_a_row_without_segments_tells_how_long_they_would_be():
    rows = [np.ones((2, 1, 10)), np.empty((0, 1, 10))]
    found = TimeSeries(Ragged.from_arrays(rows), is_cut=True).resample_floats(
        np.array([10.0, 10.0]), np.array([25.0, 25.0])
    )
    assert [row.shape for row in found.samples] == [(2, 1, 25), (0, 1, 25)]
