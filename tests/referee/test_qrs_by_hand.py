"""EC57's count of beats, on records of which every beat and every detection is known."""

from __future__ import annotations

import pytest

from cardioflow.errors import InputError
from cardioflow.referee import benchmark

FS = 100
MINUTES_5 = 300 * FS
FOUND: list[int] = []
SEEN: list[tuple[int, ...]] = []


def some(signal, fs):
    """The detections that a test has put down."""
    SEEN.append(signal.shape)
    return list(FOUND)


def backwards(signal, fs):
    return FOUND[::-1]


def count(rows, report, span="EC57", ms=150):
    (own,) = (r for r in rows(report, "Gross") if (r["span"], r["ms"]) == (span, ms))
    return own["beats"], own["missed"], own["false"]


@pytest.fixture
def scored(tmp_path, record, mine):
    def score(beats, found, *, marks=(), n=MINUTES_5 + 5000, method="mine:some", fs=FS, **options):
        FOUND[:] = found
        folder = record(tmp_path / "set", "r", [(b, "N") for b in beats] + list(marks), n=n, fs=fs)
        return benchmark("qrs", folder, [method], **options)

    return score


LATE = MINUTES_5 + 1000


@pytest.mark.parametrize(
    ("beats", "found", "counts"),
    [
        ([LATE], [LATE], ((1, 0, 0), (1, 0, 0))),
        # 150 ms are 15 samples, 75 ms are 7.5, of which 8 are in.
        ([LATE], [LATE + 15], ((1, 0, 0), (1, 1, 1))),
        ([LATE], [LATE - 15], ((1, 0, 0), (1, 1, 1))),
        ([LATE], [LATE + 16], ((1, 1, 1), (1, 1, 1))),
        ([LATE], [LATE - 16], ((1, 1, 1), (1, 1, 1))),
        ([LATE], [LATE + 8], ((1, 0, 0), (1, 0, 0))),
        ([LATE], [LATE + 9], ((1, 0, 0), (1, 1, 1))),
        ([LATE], [], ((1, 1, 0), (1, 1, 0))),
        ([LATE], [LATE - 5, LATE + 3], ((1, 0, 1), (1, 0, 1))),
        ([LATE], [LATE, LATE], ((1, 0, 1), (1, 0, 1))),
        ([LATE, LATE + 20], [LATE + 10], ((2, 1, 0), (2, 2, 1))),
        ([LATE, LATE + 80], [LATE + 4, LATE + 40, LATE + 81], ((2, 0, 1), (2, 0, 1))),
    ],
    ids=[
        "on the beat",
        "at the late edge",
        "at the early edge",
        "beyond the late edge",
        "beyond the early edge",
        "at the narrow edge",
        "beyond the narrow edge",
        "missed",
        "two for one beat",
        "one beat twice at a time",
        "one for two beats",
        "one between",
    ],
)
def test_beats_missed_and_false_ones_are_counted_as_by_hand(scored, rows, beats, found, counts):
    wide, narrow = counts
    report = scored(beats, found)
    assert count(rows, report) == wide
    assert count(rows, report, ms=75) == narrow
    assert count(rows, report, "whole") == wide


def test_the_learning_period_ends_with_the_sample_at_five_minutes(scored, rows):
    report = scored([MINUTES_5 - 1, MINUTES_5, MINUTES_5 + 200], [])
    assert count(rows, report) == (2, 2, 0)
    assert count(rows, report, "whole") == (3, 3, 0)


def test_a_beat_after_the_learning_period_may_be_found_before_its_end(scored, rows):
    report = scored([MINUTES_5 + 2, MINUTES_5 + 200], [MINUTES_5 - 5, MINUTES_5 + 200])
    assert count(rows, report) == (2, 0, 0)


def test_a_beat_before_the_end_of_the_learning_period_does_not_make_its_detection_false(scored, rows):
    report = scored([MINUTES_5 - 5, MINUTES_5 + 200], [MINUTES_5 + 2, MINUTES_5 + 200])
    assert count(rows, report) == (1, 0, 0)


def test_another_learning_period_is_the_users_choice_and_stands_in_the_protocol(scored, rows):
    report = scored([50, 1000, 1100], [1000], n=2000, learning_s=10)
    assert count(rows, report) == (2, 1, 0)
    assert report.protocol["EC57"] == "after the first 0.166667 minutes, flutter left out"
    report = scored([50, 1000, 1100], [1000], n=2000, learning_s=0)
    assert count(rows, report) == count(rows, report, "whole") == (3, 2, 0)


@pytest.mark.parametrize(
    ("learning_s", "said"),
    [
        (-1, r"learning_s=-1 is not a time from 0 s on\. Pass seconds, such as 300"),
        (float("nan"), r"learning_s=nan is not a time from 0 s on"),
        (float("inf"), r"learning_s=inf is not a time from 0 s on"),
        ("300", r"learning_s='300' is not a number"),
        (True, r"learning_s=True is not a number"),
    ],
)
@pytest.mark.parametrize("task", ["qrs", "rhythm"])
def test_a_learning_period_that_leaves_out_nothing_known_is_refused(tmp_path, task, learning_s, said):
    with pytest.raises(InputError, match=said):
        benchmark(task, tmp_path, ["mine:some"], learning_s=learning_s)


def test_flutter_takes_beats_and_detections_out_of_the_count_up_to_its_brackets(scored, rows):
    flutter = [(LATE, "["), (LATE + 500, "]")]
    beats = [LATE - 60, LATE + 40, LATE + 560]
    report = scored(beats, [LATE - 60, LATE, LATE + 250, LATE + 500, LATE + 530], marks=flutter)
    # The beat in flutter and the three detections from bracket to bracket do not count; the last one does.
    assert count(rows, report) == (2, 1, 1)
    assert count(rows, report, "whole") == (2, 1, 1)


def test_flutter_that_is_not_closed_lasts_to_the_end_of_the_record(scored, rows):
    report = scored([LATE], [LATE, LATE + 700, LATE + 3000], marks=[(LATE + 500, "[")])
    assert count(rows, report) == (1, 0, 0)


def test_the_bias_is_what_is_found_less_the_reference(scored, rows):
    beats = [LATE, LATE + 100, LATE + 200, LATE + 300]
    report = scored(beats, [b + shift for b, shift in zip(beats, (1, 3, 1, 3), strict=True)])
    (own,) = rows(report, "mine:some, by record")
    assert (own["bias ms"], own["SD ms"]) == pytest.approx((20.0, 10.0))
    (speed,) = rows(report, "Speed and place")
    assert (speed["bias ms"], speed["SD ms"]) == pytest.approx((20.0, 10.0))


def test_detections_out_of_order_are_put_in_order(scored, rows):
    beats = [LATE, LATE + 100, LATE + 200]
    assert count(rows, scored(beats, beats, method="mine:backwards")) == (3, 0, 0)


def test_a_record_shorter_than_the_learning_period_is_told_and_has_no_value(scored, rows):
    report = scored([50, 150], [50], n=1000)
    own = next(r for r in rows(report, "Gross") if r["span"] == "EC57")
    assert (own["beats"], own["Se %"], own["PPV %"], own["F1 %"]) == (0, None, None, None)
    assert count(rows, report, "whole") == (2, 1, 0)
    assert "1 records end within the learning period and have no EC57 part. Read the rows of 'whole'." in report.notes
    (speed,) = rows(report, "Speed and place")
    assert speed["bias ms"] is None


def test_shares_are_of_all_beats_and_intervals_of_whole_records(tmp_path, record, rows, mine):
    FOUND[:] = [LATE + 100 * k for k in range(10)]
    record(tmp_path / "set", "a", [(s, "N") for s in FOUND], n=MINUTES_5 + 5000)
    record(tmp_path / "set", "b", [(LATE + 50 + 100 * k, "N") for k in range(30)], n=MINUTES_5 + 5000)
    own = next(r for r in rows(benchmark("qrs", tmp_path / "set", ["mine:some"]), "Gross"))
    # 10 of 40 beats; every resample of two records has the first one twice, once or never.
    assert own["Se %"] == 25.0
    assert own["Se 95 %"] == [0.0, 100.0]
    assert own["PPV %"] == 50.0


@pytest.mark.parametrize(("leads", "shape"), [("first", (1, 500)), ("second", (1, 500)), ("all", (2, 500))])
def test_a_detector_gets_the_leads_that_are_asked_for(tmp_path, record, mine, leads, shape):
    SEEN.clear()
    FOUND[:] = [100]
    benchmark("qrs", record(tmp_path / "set", "r", [(100, "N")], n=500, leads=("II", "V1")), "mine:some", leads=leads)
    (seen,) = SEEN
    assert seen == shape


def test_a_record_without_the_lead_is_named(tmp_path, record, mine):
    folder = record(tmp_path / "set", "r7", [(100, "N")], n=500)
    with pytest.raises(InputError, match=r"Record 'r7' has one lead, but leads='second'"):
        benchmark("qrs", folder, ["mine:some"], leads="second")


def test_one_method_may_be_named_without_a_list_and_each_is_scored_once(scored, rows, tmp_path):
    scored([LATE], [LATE])
    folder = tmp_path / "set"
    assert len(rows(benchmark("qrs", folder, "mine:some"), "Gross")) == 4
    assert len(rows(benchmark("qrs", folder, ["mine:some", "mine:some"]), "Gross")) == 4
    with pytest.raises(InputError, match=r"benchmark\(methods=\(\)\) names no method"):
        benchmark("qrs", folder, [])


def test_ten_decibels_stand_before_six_and_minus_six_last(tmp_path, record, rows, mine):
    FOUND[:] = [LATE]
    for k, ratio in enumerate(("_6", "24", "06", "18")):
        record(
            tmp_path / "nstdb", f"118e{ratio}", [(LATE, "N"), (LATE + 100 * (k + 1), "N")][: 1 + k % 2], n=LATE + 900
        )
    (own,) = rows(benchmark("qrs", tmp_path / "nstdb", ["mine:some"]), "F1 % by signal-to-noise ratio")
    # With one beat of two found, F1 is 2 · 1 / (2 · 1 + 1).
    assert list(own.items()) == [
        ("method", "mine:some"),
        ("24 dB", pytest.approx(200 / 3)),
        ("18 dB", pytest.approx(200 / 3)),
        ("6 dB", 100.0),
        ("-6 dB", 100.0),
    ]


def test_beats_at_360_hz_are_matched_within_54_samples(scored, rows):
    late = 300 * 360 + 1000
    for shift, missed in ((54, 0), (55, 1), (-54, 0), (-55, 1)):
        assert count(rows, scored([late], [late + shift], n=late + 2000, fs=360))[1] == missed
    for shift, missed in ((27, 0), (28, 1)):
        assert count(rows, scored([late], [late + shift], n=late + 2000, fs=360), ms=75)[1] == missed
