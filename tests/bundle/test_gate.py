"""Limits are held against the samples: a record at a limit is judged, and one beyond it is not."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.bundle import Limits, Reason
from cardioflow.bundle.gate import gap_notes, named_unit, reasons_against
from cardioflow.bundle.lead_choice import choose, with_chosen, with_lead_names
from cardioflow.bundle.spikes import is_paced
from cardioflow.errors import InputError

FS = 100.0


def batch(*signals, leads=None, units="mV", fs=FS, **meta):
    arrays = [np.atleast_2d(np.asarray(x, np.float32)) for x in signals]
    rows = [
        {
            "fs": fs,
            "leads": tuple(leads or [f"V{k + 1}" for k in range(len(x))]),
            "units": None if units is None else (units,) * len(x) if isinstance(units, str) else tuple(units),
            **meta,
        }
        for x in arrays
    ]
    return EcgBatch(
        ids=tuple(f"r{k}" for k in range(len(arrays))), signal=Ragged.from_arrays(arrays), meta=Meta.from_rows(rows)
    )


def reasons(given, limits, *, units="mV", any_lead=False):
    spikes = dict.fromkeys(given.ids, 0)
    return reasons_against(given, limits, units, spikes, any_lead=any_lead)


def codes(given, limits, **more):
    return [[reason.code for reason in own] for own in reasons(given, limits, **more)]


def wave(n=1000):
    return np.sin(np.arange(n) / 5)


# -- length and rate ---------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "limits", "code"),
    [
        (1000, Limits(shortest_s=10), []),
        (999, Limits(shortest_s=10), ["too_short"]),
        (1000, Limits(longest_s=10), []),
        (1001, Limits(longest_s=10), ["too_long"]),
        (1000, Limits(lowest_fs=100), []),
        (1000, Limits(lowest_fs=100.1), ["low_rate"]),
        (10, Limits(shortest_s=1, lowest_fs=200), ["too_short", "low_rate"]),
        (1000, Limits(), []),
    ],
)
def test_length_and_rate_at_the_limit_are_judged(n, limits, code):
    assert codes(batch(wave(n)), limits) == [code]


def test_the_reason_says_what_the_record_has_and_what_is_needed():
    (own,) = reasons(batch(wave(250)), Limits(shortest_s=9, lowest_fs=250))
    assert [reason.text for reason in own] == [
        "The record lasts 2.5 s, and at least 9 s are needed.",
        "The record has 100 samples per second, and 250 are needed.",
    ]


# -- units -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "wanted", "text"),
    [
        ("mV", "mV", None),
        ("adu", "mV", "The signal is in numbers without a unit, and mV is needed."),
        ("uV", "mV", "The signal is in uV, and mV is needed."),
        (("mV", "mmHg"), "mV", "The signal is in mmHg, and mV is needed."),
        (None, "mV", "The unit of the signal is not known, and mV is needed."),
        (None, None, None),
        ("adu", None, None),
    ],
)
def test_a_unit_that_is_not_the_one_needed_is_named(own, wanted, text):
    x = np.stack([wave(), wave()])
    (found,) = reasons(batch(x, units=own), Limits(most_flat=0.5), units=wanted)
    assert [reason.text for reason in found] == ([] if text is None else [text])


def test_samples_without_a_unit_are_not_measured_against_millivolts():
    (found,) = reasons(batch(np.zeros(1000), units="adu"), Limits(most_flat=0.1, most_mv=1))
    assert [reason.code for reason in found] == ["unknown_unit"]
    assert named_unit("adu") == "numbers without a unit"
    assert named_unit("uV") == "uV"


# -- samples -----------------------------------------------------------------


def with_gap(share, n=1000, value=np.nan):
    x = wave(n)
    x[: round(share * n)] = value
    return x


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("share", "code"), [(0.0, []), (0.1, []), (0.101, ["missing_samples"]), (1.0, ["missing_samples"])]
)
def test_a_share_of_missing_samples_above_the_limit_is_not_judged(share, code, value):
    assert codes(batch(with_gap(share, value=value)), Limits(most_missing=0.1)) == [code]


@pytest.mark.parametrize(
    ("any_lead", "code"), [(False, ["missing_samples"]), (True, [])], ids=["the worst lead counts", "the best counts"]
)
def test_where_one_good_lead_is_enough_the_best_one_counts(any_lead, code):
    x = np.stack([wave(), np.full(1000, np.nan)])
    assert codes(batch(x), Limits(most_missing=0.1, most_flat=0.5), any_lead=any_lead) == [code]


def flat_for(seconds):
    x = wave()
    x[: 100 * seconds] = 0.3
    return x


@pytest.mark.parametrize(("seconds", "code"), [(0, []), (5, []), (6, ["flat"]), (10, ["flat"])])
def test_a_second_that_stands_still_is_flat(seconds, code):
    assert codes(batch(flat_for(seconds)), Limits(most_flat=0.5)) == [code]


@pytest.mark.parametrize(("height", "code"), [(0.0099, ["flat"]), (0.0101, [])])
def test_a_range_below_ten_microvolts_is_flat(height, code):
    x = np.tile([0.0, height], 500)
    assert codes(batch(x), Limits(most_flat=0.5)) == [code]


@pytest.mark.parametrize("n", [1, 50, 99])
def test_a_record_shorter_than_a_second_is_one_second(n):
    assert codes(batch(np.zeros(n)), Limits(most_flat=0.5)) == [["flat"]]
    assert codes(batch(np.arange(n + 1)), Limits(most_flat=0.5)) == [[]]


def test_a_record_without_samples_is_refused_and_not_an_error():
    empty = batch(np.zeros((1, 0)))
    assert codes(empty, Limits(most_missing=0.5)) == [["missing_samples"]]
    assert codes(empty, Limits(most_flat=0.5)) == [["flat"]]
    assert codes(empty, Limits(most_mv=5)) == [[]]


@pytest.mark.parametrize(
    ("spikes", "code"),
    [
        pytest.param(0, [], id="a wave of 2 mV"),
        pytest.param(9, [], id="a few artefacts are not the middle 98 % of the samples"),
        pytest.param(40, ["out_of_range"], id="many are"),
    ],
)
def test_the_range_is_that_of_the_middle_of_the_samples(spikes, code):
    x = wave()
    x[10 : 10 + spikes] = 500.0
    assert codes(batch(x), Limits(most_mv=20)) == [code]


def test_infinite_samples_are_missing_and_not_a_range():
    x = wave()
    x[100:150] = np.inf
    assert codes(batch(x), Limits(most_mv=20)) == [[]]
    x[200:300] = 500.0
    (found,) = reasons(batch(x), Limits(most_mv=20))
    assert found[0].text.startswith("The signal ranges over 50")


def test_noise_has_no_evidence_of_heart_beats_and_a_low_rate_is_not_asked_for_it():
    noise = np.random.default_rng(0).normal(size=3000)
    assert codes(batch(noise), Limits(least_evidence=0.65)) == [["noise"]]
    assert codes(batch(noise, fs=79.0), Limits(least_evidence=0.65)) == [[]]
    assert codes(batch(noise), Limits(least_evidence=0.0)) == [[]]


def test_each_record_has_its_own_reasons_in_the_order_of_the_batch():
    given = batch(wave(), np.zeros(1000), wave(100), with_gap(0.5))
    assert codes(given, Limits(shortest_s=5, most_flat=0.6, most_missing=0.1)) == [
        [], ["flat"], ["too_short"], ["missing_samples"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, None),
        (0.003, "0.3 % of the samples are missing; the answer rests on the others."),
        (0.25, "25 % of the samples are missing; the answer rests on the others."),
    ],
)
def test_a_gap_in_a_record_that_is_judged_is_noted(share, text):
    (found,) = gap_notes(batch(with_gap(share)))
    assert found == (() if text is None else (Reason("missing_samples", text),))
    both = batch(np.stack([wave(), with_gap(share)]))
    assert gap_notes(both, any_lead=True) == [()]
    assert bool(gap_notes(both)[0]) is (text is not None)


@pytest.mark.parametrize(
    ("n", "seconds", "paced"),
    [(2, 10, False), (3, 10, True), (3, 180, True), (3, 181, False), (9, 600, False), (10, 600, True), (0, 0, False)],
)
def test_three_spikes_are_pacing_and_in_long_records_one_a_minute(n, seconds, paced):
    assert is_paced(n, seconds) is paced


# -- which leads -------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "wanted", "substitutes", "picked", "noted"),
    [
        pytest.param(["I", "II"], ["II"], {}, (1,), [], id="by its name"),
        pytest.param(["II", "I"], ["I", "II"], {}, (1, 0), [], id="in the order of the bundle"),
        pytest.param(["lead ii", "MDC_ECG_LEAD_I"], ["I", "II"], {}, (1, 0), [], id="by the name of a device"),
        pytest.param(["MLII"], ["I"], {"I": ["II", "MLII"]}, (0,), ["MLII"], id="the first substitute that is there"),
        pytest.param(["V5", "II"], ["I"], {"I": ["II", "V5"]}, (1,), ["II"], id="best first"),
        pytest.param(["I", "II"], ["I"], {"I": ["II"]}, (0,), [], id="none where the lead is there"),
        pytest.param(["I", "V1"], ["I", "II"], {"II": ["I", "V1"]}, (0, 1), ["V1"], id="no channel is taken twice"),
        pytest.param(["I", "I", "II"], ["I"], {"I": ["II"]}, (2,), ["II"], id="a doubled lead is not taken"),
    ],
)
def test_leads_are_taken_by_name_or_by_their_best_substitute(names, wanted, substitutes, picked, noted):
    found = choose(names, wanted, substitutes)
    assert not isinstance(found, Reason)
    assert found[0] == picked
    assert [note.code for note in found[1]] == ["substitute_lead"] * len(noted)
    assert all(name in note.text for name, note in zip(noted, found[1], strict=True))


@pytest.mark.parametrize(
    ("names", "substitutes", "text"),
    [
        (["V1"], {}, "Lead I is needed, and the record has V1."),
        (["V1"], {"I": ["II", "III"]}, "Lead I or a substitute (II, III) is needed, and the record has V1."),
        ([], {}, "Lead I is needed, and the record has no leads."),
        (["I", "I"], {}, "Lead I is needed, and the record has I, I."),
    ],
)
def test_a_record_without_the_lead_says_what_is_needed_and_what_it_has(names, substitutes, text):
    assert choose(names, ["I"], substitutes) == Reason("no_known_lead", text)


def test_the_channels_that_were_chosen_keep_their_samples_and_units():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    given = batch(x, x[:2] * 10, leads=None, units="mV")
    found = with_chosen(given, [(2, 0), (1,)], [("a", "b"), ("c",)])
    assert found.signal[0].tolist() == x[[2, 0]].tolist()
    assert found.signal[1].tolist() == [[40, 50, 60, 70]]
    assert [row["leads"] for row in found.meta] == [("a", "b"), ("c",)]
    assert [len(row["units"]) for row in found.meta] == [2, 1]
    same = with_chosen(given, [(0, 1, 2), (0, 1)], [("a", "b", "c"), ("d", "e")])
    assert same.signal is given.signal
    assert [row["leads"] for row in same.meta] == [("a", "b", "c"), ("d", "e")]


def test_names_of_leads_are_given_to_every_record_by_their_standard_names():
    given = batch(np.zeros((2, 100)), np.ones((2, 100)))
    found = with_lead_names(given, ["lead ii", "avf"])
    assert [row["leads"] for row in found.meta] == [("II", "aVF")] * 2
    with pytest.raises(InputError, match=r"Record 'r0' has 2 leads, and 1 names were given: I\. Pass one name"):
        with_lead_names(given, ["I"])
