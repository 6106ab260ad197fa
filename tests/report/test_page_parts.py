"""What a page says of a record whose measurements are known: values, ranges, rhythm, quality and notes."""

from __future__ import annotations

import math
import re
from html import unescape

import numpy as np
import pytest

from cardioflow.analysis.atrial_fibrillation import AfBurden, AfEpisode
from cardioflow.analysis.waves.results import NotMeasured
from cardioflow.bundle import Reason, RecordPrediction
from cardioflow.bundle.predictions import LeadQuality
from cardioflow.report.page import sections
from cardioflow.report.page.examination import LeadFacts, verdict_on
from cardioflow.report.page.html import Cell, facts, items, section, table
from cardioflow.report.page.index import Entry, Failure, index_page
from cardioflow.report.page.page import page_of, script_source
from cardioflow.report.page.ranges import Range, normal_ranges
from cardioflow.report.page.rhythm import ModelAnswer
from cardioflow.report.page.texts import Texts
from cardioflow.report.page.values import rows_of, written

EN = Texts.english()


def words(page):
    body = re.sub(r"<(style|script)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


# -- how a value is written --------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("heart_rate", 59.6, "60 /min"),
        ("rr", 1.0, "1000 ms"),
        ("qrs", 0.0944, "94 ms"),
        ("qrs", 0.0946, "95 ms"),
        ("qrs_axis", -0.4, "0°"),
        ("qrs_axis", -30.0, "−30°"),
        ("t_axis", 179.6, "180°"),
        ("pr", -0.012, "−12 ms"),
    ],
)
def test_a_value_is_written_in_whole_units_with_a_minus_sign_and_no_minus_zero(name, value, text):
    assert written(name, value) == text


@pytest.mark.parametrize(
    ("value", "device", "shown", "difference"),
    [
        pytest.param({"qrs": 0.1}, {"qrs_ms": 94}, "94 ms", "+6 ms", id="ours is longer"),
        pytest.param({"qrs": 0.09}, {"qrs_ms": 94}, "94 ms", "−4 ms", id="ours is shorter"),
        pytest.param({"qrs": 0.0942}, {"qrs_ms": 94}, "94 ms", "0 ms", id="a difference below a unit has no sign"),
        pytest.param({"qrs": 0.09}, {"qrs_ms": 0}, "", "", id="0 ms is what devices write for not measured"),
        pytest.param({"qrs": 0.09}, {"qrs_ms": math.nan}, "", "", id="nor is NaN a value"),
        pytest.param({"qrs": "no QRS"}, {"qrs_ms": 94}, "94 ms", "", id="ours was not measured"),
        pytest.param({"qrs": 0.09}, {}, "", "", id="the file has none"),
    ],
)
def test_the_devices_value_stands_beside_ours_with_the_difference(made, value, device, shown, difference):
    seen = made(whole=value, meta={"measurements": device})
    row = next(row for row in rows_of(seen) if row.name == "qrs")
    assert (row.device, row.difference) == (shown, difference)


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [(170.0, -170.0, "−20°"), (-170.0, 170.0, "+20°"), (30.0, 0.0, "+30°"), (-90.0, 90.0, "−180°"), (45.0, 45.0, "0°")],
)
def test_the_difference_of_two_axes_goes_the_shorter_way_round(made, ours, theirs, difference):
    seen = made(whole={"qrs_axis": ours}, meta={"measurements": {"qrs_axis": theirs}})
    assert next(row for row in rows_of(seen) if row.name == "qrs_axis").difference == difference


def test_a_value_that_was_not_measured_has_its_reason_and_neither_verdict_nor_difference(made):
    row = next(row for row in rows_of(made(whole={"pr": "no P wave"})) if row.name == "pr")
    assert (row.value, row.reason, row.verdict, row.difference) == ("", "no P wave", "", "")
    assert row.range == "113 – 212 ms"


def test_a_range_without_a_lower_limit_is_written_as_at_most(made):
    assert next(row for row in rows_of(made(age=5.0)) if row.name == "qrs").range == "≤ 99 ms"


# -- verdicts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("axis", "limits", "verdict"),
    [
        pytest.param(30.0, (-40, 91), "within", id="usual"),
        pytest.param(-40.0, (-40, 91), "within", id="the limit is within"),
        pytest.param(-40.4, (-40, 91), "within", id="as it is written"),
        pytest.param(-41.0, (-40, 91), "below", id="left axis"),
        pytest.param(100.0, (-40, 91), "above", id="right axis"),
        pytest.param(-170.0, (-40, 91), "above", id="190 degrees are nearer to 91 than to -40"),
        pytest.param(-120.0, (-40, 91), "below", id="far left"),
        pytest.param(-180.0, (60, 180), "within", id="-180 degrees are 180"),
        pytest.param(-175.0, (60, 180), "above", id="5 degrees above what a newborn may have"),
        pytest.param(10.0, (60, 180), "below", id="left of what a newborn may have"),
    ],
)
def test_an_axis_is_outside_on_the_side_that_it_is_nearer_to(axis, limits, verdict):
    assert verdict_on("qrs_axis", axis, Range(*limits, "mason")) == verdict


def test_an_interval_does_not_go_round_a_circle():
    assert verdict_on("qrs", 0.3, Range(0.069, 0.11, "surawicz")) == "above"
    assert verdict_on("heart_rate", 300.0, Range(48, 98, "mason")) == "above"


def test_what_is_outside_is_named_in_the_summary_and_marked_in_the_table(made):
    seen = made(whole={"qrs": 0.13, "heart_rate": 45.0, "pr": "no P wave"})
    assert set(seen.outside()) == {"qrs", "heart_rate"}
    said = dict(sections.summary(seen, EN))
    assert said["Outside the range"] == "Heart rate 45 /min, QRS 130 ms"
    assert said["PR"] == "–"
    html = sections.measurements(seen, EN)
    assert '<td class="out">130 ms</td><td>69 – 110 ms</td><td class="out">▲ above</td>' in html
    assert '<td class="out">45 /min</td><td>48 – 98 /min</td><td class="out">▼ below</td>' in html
    assert '<td class="lost">not measured: no P wave</td>' in html


@pytest.mark.parametrize("age", [-0.1, 0.0, 15.99, 16.0, 130.0, math.inf])
def test_every_age_has_ranges_whose_lower_limit_is_below_the_upper_one(age):
    for sex in ("F", "M", None, "X"):
        found = normal_ranges(age, sex)
        assert {"heart_rate", "pr", "qrs", "qrs_axis"} <= found.keys()
        assert all(own.low < own.high for own in found.values())


# -- facts of the record -----------------------------------------------------


def test_the_header_has_the_facts_of_the_file_and_says_what_it_does_not_state(made):
    bare = dict(sections.header_facts(made(), EN))
    assert bare["File"] == "made.edf"
    assert {bare[name] for name in ("Age", "Sex", "Device", "Recorded", "Filters")} == {"not stated"}
    assert (bare["Duration"], bare["Sampling rate"], bare["Leads"]) == ("10 s", "250 Hz", "2: I, II")
    meta = {"age": 0.5, "sex": "F", "device": "X<1>", "highpass_hz": 0.05, "lowpass_hz": 150, "notch_hz": 0}
    full = dict(sections.header_facts(made(meta=meta), EN))
    assert (full["Age"], full["Sex"], full["Device"]) == ("0.5 years", "female", "X<1>")
    assert full["Filters"] == "high-pass 0.05 Hz, low-pass 150 Hz"


def test_a_recording_of_which_the_beginning_was_read_says_how_much(made):
    seen = made(n_samples=250 * 86400)
    assert seen.is_beginning
    assert dict(sections.header_facts(seen, EN))["Duration"] == "10 s of 24:00:00: only the beginning was read"
    assert not made().is_beginning


@pytest.mark.parametrize(
    ("meta", "notes"),
    [
        ({}, ["The age is not stated: the ranges are those of adults.", "The sex is not stated: the limit of QTc is"]),
        ({"age": 40, "sex": "M"}, []),
        ({"age": 40}, ["The sex is not stated"]),
        ({"sex": "M"}, ["The age is not stated"]),
    ],
)
def test_what_a_range_assumes_is_said(made, meta, notes):
    found = sections.range_notes(made(meta=meta, age=meta.get("age"), sex=meta.get("sex")), EN)
    assert len(found) == len(notes)
    assert all(own.startswith(note) for own, note in zip(found, notes, strict=True))


def test_the_sex_is_not_asked_for_where_no_range_depends_on_it(made):
    assert sections.range_notes(made(meta={"age": 5}, age=5.0, sex=None), EN) == []


# -- rhythm ------------------------------------------------------------------

ANSWER = ModelAnswer("af", ("A",), {"N": 0.65, "A": 0.35}, meanings={"A": "atrial fibrillation"})
SUMMARY = "Rhythm"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(
            ANSWER, "atrial fibrillation (A) (0.35, Model af)", id="a label that reaches its threshold, not the largest"
        ),
        pytest.param(
            ModelAnswer("af", ("N",), {"N": 0.9, "A": 0.1}), "N (0.90, Model af)", id="the most probable label"
        ),
        pytest.param(
            ModelAnswer("m", ("A", "B"), {"A": 0.7, "B": 0.6, "C": 0.1}), "A, B (0.70, 0.60, Model m)", id="two labels"
        ),
        pytest.param(ModelAnswer("m", (), {"A": 0.2}), "– (Model m)", id="none of the labels"),
        pytest.param(ModelAnswer("m", ("A",), {}), "A (Model m)", id="a label without a probability"),
        pytest.param(ModelAnswer("m", reasons=("flat",)), "Cannot be judged.", id="it abstains"),
        pytest.param(
            ModelAnswer("m", failed="no lead"),
            "No atrial fibrillation in the 9 s that could be judged. (classical test, no model)",
            id="it could not be asked, so the intervals answer",
        ),
    ],
)
def test_the_summary_has_the_probability_of_the_label_that_is_given(made, answer, said):
    assert dict(sections.summary(made(model=answer), EN))[SUMMARY] == said


def test_the_section_on_rhythm_lists_the_answer_its_set_and_every_probability(made):
    answer = ModelAnswer("af", ("A",), {"N": 0.65, "A": 0.35}, ("A",), notes=("II for I",), meanings=ANSWER.meanings)
    said = words(sections.rhythm(made(model=answer), EN))
    assert "Answer atrial fibrillation (A) Cannot be excluded atrial fibrillation (A)" in said
    assert "N 0.650 atrial fibrillation (A) 0.350" in said
    assert "II for I" in said
    assert "does not decide" not in said
    empty = words(sections.rhythm(made(model=ModelAnswer("af", ("A",), {"A": 0.9}, ())), EN))
    assert "Cannot be excluded –" in empty


def test_a_model_that_could_not_be_asked_says_why_without_an_answer(made):
    said = words(sections.rhythm(made(model=ModelAnswer("af", failed="it needs lead I")), EN))
    assert "The model could not be asked: it needs lead I" in said
    assert "Probability" not in said


@pytest.mark.parametrize(
    ("burden", "said"),
    [
        (
            AfBurden((AfEpisode(5.0, 95.0),), 0.75, 120.0, np.zeros(1)),
            "Atrial fibrillation is suspected in 75% of the 120 s that could be judged.",
        ),
        (AfBurden((), 0.0, 60.4, np.zeros(1)), "No atrial fibrillation in the 60 s that could be judged."),
        (AfBurden((), math.nan, 0.0, np.zeros(0), "too few beats"), "Cannot be judged: too few beats"),
        (AfBurden((), math.nan, 0.0, np.zeros(0)), "Cannot be judged: –"),
    ],
)
def test_the_classical_test_says_its_share_or_why_there_is_none(made, burden, said):
    seen = made(burden=burden)
    assert sections.classical_answer(seen, EN) == said
    assert ("from 5 s to 1:35" in words(sections.rhythm(seen, EN))) is bool(burden.episodes)


def test_irregular_beats_that_two_detectors_dispute_are_not_called_fibrillation_and_have_no_episode(made):
    burden = AfBurden((AfEpisode(5.0, 95.0),), 0.75, 120.0, np.zeros(1))
    doubtful = tuple(LeadFacts(0.0, 0.0, share, 0.9, ()) for share in (0.5, 0.89))
    said = words(sections.rhythm(made(burden=burden, quality=doubtful), EN))
    assert "Cannot be judged: two detectors agree on 89% of the beats in the best lead, below 90 %" in said
    assert "from 5 s" not in said
    unknown = tuple(LeadFacts(0.0, 0.0, math.nan, math.nan, ()) for _ in range(2))
    assert "suspected in 75%" in words(sections.rhythm(made(burden=burden, quality=unknown), EN))


def test_the_facts_of_the_intervals_are_those_of_the_beats(made):
    seen = made((0.5, 1.5, 2.25, 3.5, 4.5), other=(2,))
    told, with_p = sections.interval_facts(seen, EN)
    assert told == (
        "4 intervals, median 1000 ms, shortest 748 ms, longest 1252 ms; 1 of 5 beats are not of the common shape."
    )
    assert with_p == "5 of 5 beats have a P wave."
    assert sections.interval_facts(made((1.0,)), EN) == []
    assert sections.interval_facts(made(()), EN) == []


# -- amplitudes and beats ----------------------------------------------------


def test_each_beat_has_a_row_and_those_of_another_shape_are_marked(made):
    html = sections.measurements(made((0.5, 1.5, 2.5), other=(1,)), EN)
    body = re.search(r'class="long">.*?<tbody>(.*?)</tbody>', html).group(1)
    rows = [re.findall(r">([^<]+)</t", row) for row in body.split("</tr>")[:-1]]
    assert rows[0] == ["1", "0.50 s", "–", "100", "160", "90", "400", "160", "common"]
    assert rows[1] == ["2", "1.50 s", "1000", "100", "160", "90", "400", "160", "▲ other"]


def test_of_many_beats_the_first_sixty_are_listed_and_the_page_says_so(made):
    html = sections.measurements(made(np.arange(0.5, 90), seconds=90), EN)
    assert html.count(">common<") == 60
    assert "The first 60 of 90 beats." in html
    few = sections.measurements(made(), EN)
    assert few.count(">common<") == 10
    assert "beats.</p>" not in few


def test_a_record_without_beats_or_amplitudes_has_neither_table(made):
    html = sections.measurements(made(()), EN)
    assert "Intervals of each beat" not in html


def test_statements_of_the_device_are_shown_as_text_and_not_as_markup(made):
    html = sections.measurements(made(meta={"comments": ("Sinus <b>rhythm</b>", 7)}), EN)
    assert "<li>Sinus &lt;b&gt;rhythm&lt;/b&gt;</li><li>7</li>" in html


def test_the_columns_of_the_device_are_there_only_where_the_file_has_values(made):
    assert "Difference" not in sections.measurements(made(), EN)
    assert "Difference" in sections.measurements(made(meta={"measurements": {"qt_ms": 390}}), EN)


# -- quality -----------------------------------------------------------------


def test_the_quality_of_a_lead_is_in_percent_and_doubtful_agreement_is_marked(made):
    quality = (
        LeadFacts(0.25, 0.5, 0.899, 0.987, ("flat", "clipped")),
        LeadFacts(0.0, 0.0, math.nan, math.nan, ()),
    )
    html = sections.quality(made(quality=quality), EN)
    assert (
        '<th scope="row">I</th><td>25 %</td><td>50 %</td><td class="out">90 %</td><td>99 %</td>'
        '<td class="text">flat, clipped</td>'
    ) in html
    assert '<td>–</td><td>–</td><td class="text">none</td>' in html


@pytest.mark.parametrize(
    ("accepted", "cell"),
    [
        (LeadQuality(True, 0.93), "<td>yes, 0.93</td>"),
        (LeadQuality(False, 0.04), '<td class="out">▲ no, 0.04</td>'),
    ],
)
def test_what_the_quality_model_says_of_a_lead_is_a_column_of_its_own(made, accepted, cell):
    quality = (LeadFacts(0.0, 0.0, 1.0, 0.99, (), accepted), LeadFacts(0.0, 0.0, 1.0, 0.99, ()))
    html = sections.quality(made(quality=quality), EN)
    assert f'<th scope="row">I</th>{cell}<td>0 %</td>' in html
    assert '<th scope="row">II</th><td>–</td><td>0 %</td>' in html
    assert "trained on CinC 2011" in html
    assert "trained on CinC 2011" not in sections.quality(made(), EN)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, []),
        (
            RecordPrediction("r", None, ("acceptable",), {"acceptable": 0.8, "unacceptable": 0.2}),
            ["The quality model finds the record acceptable (0.80)."],
        ),
        (
            RecordPrediction("r", None, ("unacceptable",), {"acceptable": 0.2, "unacceptable": 0.8}),
            ["The quality model finds the record not acceptable (0.80)."],
        ),
        (
            RecordPrediction("r", None, (), {}, reasons=(Reason("too_short", "It lasts 2 s."),)),
            ["The quality model cannot judge the record: It lasts 2 s."],
        ),
        (RecordPrediction("r", None, (), {}), []),
    ],
)
def test_the_answer_of_the_quality_model_is_a_sentence(made, answer, said):
    assert sections.quality_answer(made(quality_answer=answer), EN) == said


# -- notes -------------------------------------------------------------------


def test_notes_are_grouped_and_a_record_without_any_says_so(made):
    assert sections.note_groups(made(), EN) == []
    assert "Nothing was guessed, skipped or left unmeasured." in sections.notes(made(), EN)
    seen = made(
        whole={"qt": "no T wave"},
        skipped=(NotMeasured(500, 1000, "flat"),),
        notes=(NotMeasured(0, 250, "no P in fibrillation"),),
        guesses=("the scale of I",),
        warnings=("a checksum",),
        identifies=True,
    )
    assert sections.note_groups(seen, EN) == [
        ("Guessed or computed", ["the scale of I"]),
        ("Warnings of the reader", ["a checksum"]),
        ("Not measured", ["QT: no T wave"]),
        ("Skipped stretches", ["2 s to 4 s: flat"]),
        (
            "Remarks",
            [
                "0 s to 1 s: no P in fibrillation",
                "The file identifies the patient. Name, number and birth date were not read.",
            ],
        ),
    ]


# -- elements and the index --------------------------------------------------


@pytest.mark.parametrize(
    ("made_html", "expected"),
    [
        (items([]), ""),
        (items(["a<b"]), "<ul><li>a&lt;b</li></ul>"),
        (facts([("a&", '"b"')]), '<dl class="facts"><div><dt>a&amp;</dt><dd>&quot;b&quot;</dd></div></dl>'),
        (
            section("x", "H<", "<p>in</p>"),
            '<section id="x" aria-labelledby="x-h"><h2 id="x-h">H&lt;</h2><p>in</p></section>',
        ),
    ],
)
def test_elements_escape_their_text(made_html, expected):
    assert made_html == expected


def test_the_first_cell_of_a_row_is_its_heading_and_the_others_have_their_kind():
    html = table("C", ["a", "b"], [["1", Cell("2", "out")], [Cell("3"), "4"]], kind="k")
    assert '<table class="k"><caption>C</caption>' in html
    assert '<tr><th scope="row">1</th><td class="out">2</td></tr><tr><th scope="row">3</th><td>4</td></tr>' in html


def test_the_index_links_each_page_and_escapes_what_a_file_name_holds():
    entry = Entry("in/a&b.edf", "a b#1.html", "12", "10 s", "60 /min", "90 ms", "400 ms", "N", "none")
    html = index_page([entry], [Failure("x/<bad>.edf", "is not & ever")])
    assert 'href="a%20b%231.html">in/a&amp;b.edf</a>' in html
    assert "1 records" in html
    assert "x/&lt;bad&gt;.edf" in html
    assert "is not &amp; ever" in html
    assert "script-src 'none'" in unescape(html)
    assert "<script" not in html
    assert "Files that could not be read" not in index_page([entry], [])


def test_the_policy_of_a_page_allows_the_script_that_is_in_it_and_no_other(made):
    page = page_of(made(), index="index.html")
    policy = unescape(re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1))
    assert policy.endswith(f"script-src {script_source()}")
    assert len(re.findall(r"<script>", page)) == 1
    assert '<a href="index.html">All reports</a>' in page
    assert "All reports" not in page_of(made())


def test_a_name_with_markup_cannot_leave_the_title(made):
    page = page_of(made(name="<img src=x onerror=alert(1)>.edf"))
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


# -- translations ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('median = "x"', "have ecg.median, which the report does not use. Remove it."),
        ('beats = "{n:{m}}"', "have the format '{m}' of 'n' in beats, which no value has."),
        ('beats = "{n:q}"', "have the format 'q' of 'n' in beats, which no value has."),
        ('beats = "{n"', "have braces in beats that do not match"),
        ('beats = "{}"', "have other braces in ecg.beats"),
        ('beats = "{n.__class__}"', "have other braces in ecg.beats"),
        ("beats = 3", "lack ecg.beats."),
    ],
)
def test_a_translation_that_would_stop_a_report_midway_is_refused(tmp_path, text, message):
    from importlib.resources import files

    from cardioflow.errors import InputError

    source = (files("cardioflow.report.page") / "en.toml").read_text("utf-8")
    path = tmp_path / "xx.toml"
    line = 'beats = "{n} beats."'
    assert source.count(line) == 1
    path.write_text(source.replace(line, text if text.startswith("beats") else f"{line}\n{text}"), "utf-8")
    with pytest.raises(InputError) as caught:
        Texts.read(path)
    assert message in str(caught.value)


def test_a_translation_may_leave_a_value_out_and_write_it_another_way(tmp_path):
    from importlib.resources import files

    source = (files("cardioflow.report.page") / "en.toml").read_text("utf-8")
    path = tmp_path / "de.toml"
    changed = source.replace("suspected in {share:.0%} of the {seconds:.0f} s", "vermutet in {share:.1%}")
    path.write_text(changed, "utf-8")
    assert "vermutet in 12.5% that" in Texts.read(path)("rhythm.found", share=0.125, seconds=10.0)
