"""What the commands say: lines of answers, options, and texts of files that could steer a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cardioflow.analysis.beats.beats import Beats
from cardioflow.analysis.waves.results import Delineation, LeadWaves, WaveMarks
from cardioflow.bundle import Reason, RecordPrediction, SkippedRecord
from cardioflow.bundle.predictions import LeadQuality
from cardioflow.cli.options import layout_of, reading_options, thresholds_of
from cardioflow.cli.predict import Prediction, _found, _lines
from cardioflow.cli.printing import about, as_json_text, complain, say
from cardioflow.errors import InputError

ESCAPE = "\x1b[2J"
"""Clears a terminal."""


def lines(*answers, **thresholds) -> list[str]:
    return list(_lines(SimpleNamespace(thresholds=thresholds), answers))


def test_a_label_stands_before_its_probabilities_thresholds_and_set():
    answer = RecordPrediction("r", "a.hea", ("A",), {"A": 0.41, "N": 0.59}, prediction_set=("A", "N"))
    assert lines(answer, A=0.4) == ["a.hea   A   (A 0.410 (from 0.4)   N 0.590)   set: A, N"]
    assert lines(RecordPrediction("r", None, ("A", "B"), {"A": 1.0, "B": 0.5})) == ["r   A, B   (A 1.000   B 0.500)"]


def test_no_label_an_empty_set_and_values_are_said_as_such():
    nothing = RecordPrediction("r", "a", (), {"A": 0.1, "B": 0.2}, prediction_set=())
    assert lines(nothing) == ["a   none   (A 0.100   B 0.200)   set: none"]
    assert lines(RecordPrediction("r", "a", (), {}, (61.4567891, -2.0))) == ["a   none   (61.4568   -2)"]


def test_beats_and_waves_are_counted():
    at = np.array([10, 200, 400])
    beats = Beats(at, np.ones(3), np.zeros(3, np.int64), np.ones(3), 250.0)
    assert lines(RecordPrediction("r", "a", (), {}, beats=beats)) == ["a   3 beats"]
    two = WaveMarks(*(np.array([10, 20]) for _ in range(4)), np.ones(2))
    none = WaveMarks.none()
    whole = LeadWaves(none, two, none, ())
    found = RecordPrediction("r", "a", (), {}, waves=Delineation(250.0, 500, ("I",), (whole,), whole))
    assert lines(found) == ["a   0 P, 2 QRS, 0 T"]


def test_bad_leads_notes_and_reasons_are_listed():
    own = {"I": LeadQuality(True, 0.9), "V1": LeadQuality(False, 0.1, ("flat", "no_beats"))}
    notes = (Reason("left_out", "One was left out."), Reason("paced", "Spikes."))
    answer = RecordPrediction("r", "a", ("unacceptable",), {"unacceptable": 1.0}, notes=notes, lead_quality=own)
    assert lines(answer) == [
        "a   unacceptable   (unacceptable 1.000)   not acceptable: V1 flat, no_beats",
        "    note: One was left out.",
        "    note: Spikes.",
    ]
    reasons = (Reason("too_short", "It is short."), Reason("low_rate", "It is slow."))
    assert lines(RecordPrediction("r", "a", (), {}, reasons=reasons)) == [
        "a   cannot be judged: It is short. It is slow."
    ]


def test_records_that_could_not_be_read_are_not_among_the_answers():
    # They are named on the standard error.
    assert lines(SkippedRecord("r", "a", None, "It is damaged.")) == []


def test_names_of_files_and_labels_do_not_steer_the_terminal():
    answer = RecordPrediction(
        "r", f"a{ESCAPE}", (f"A{ESCAPE}",), {f"A{ESCAPE}": 1.0}, notes=(Reason("left_out", f"x{ESCAPE}"),),
        prediction_set=(f"A{ESCAPE}",), lead_quality={f"I{ESCAPE}": LeadQuality(False, 0.1)},
    )  # fmt: skip
    text = "\n".join(lines(answer))
    assert "\x1b" not in text
    assert text.count("\\x1b[2J") == 6


def test_printed_text_keeps_its_line_ends_and_escapes_the_rest(capsys):
    say(f"one{ESCAPE}\ntwo\r\t")
    assert capsys.readouterr().out == "one\\x1b[2J\ntwo\\r\\t\n"
    complain("bad\x07. Pass fmt= if it is.")
    assert capsys.readouterr().err == "cardioflow: bad\\x07. Pass --fmt if it is.\n"


def test_json_stays_json_with_what_cannot_be_printed_escaped():
    value = {"name": f"Müller{ESCAPE}\u2028\x7f", "values": [1, 0.5, None]}
    text = as_json_text(value)
    assert json.loads(text) == value
    assert "Müller" in text
    assert not [c for c in text if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize(
    ("file", "reason", "text"),
    [
        ("a.hea", "is damaged.", "a.hea is damaged."),
        ("a.hea", "The file does not exist.", "a.hea: The file does not exist."),
        ("a.hea", "a.hea: is damaged.", "a.hea: is damaged."),
    ],
)
def test_an_error_has_the_name_of_its_file_once(file, reason, text):
    assert about(file, reason) == text


def test_reading_options_are_json_or_texts():
    assert reading_options(["fs=500", "unit=uV", 'channels=["II", "V1"]', "identify=true", "a=b=c", "x="]) == {
        "fs": 500, "unit": "uV", "channels": ["II", "V1"], "identify": True, "a": "b=c", "x": "",
    }  # fmt: skip
    assert reading_options(None) == {}
    assert reading_options(["fs=1", "fs=2"]) == {"fs": 2}
    for wrong in ("fs", "=5", "f s=5", "1=2", ""):
        with pytest.raises(InputError, match="is not NAME=VALUE"):
            reading_options([wrong])


@pytest.mark.parametrize(
    ("name", "out", "as_json", "expected"),
    [
        (None, None, False, "text"),
        (None, None, True, "json"),
        ("csv", None, False, "csv"),
        (None, "a.CSV", False, "csv"),
        (None, "a.parquet", False, "parquet"),
        (None, "a.txt", False, "text"),
        (None, "a.other", False, "text"),
        ("json", "a.csv", False, "json"),
        ("json", None, True, "json"),
    ],
)
def test_the_form_of_the_output_is_the_one_named_or_that_of_the_suffix(name, out, as_json, expected):
    assert layout_of(name, None if out is None else Path(out), as_json=as_json) == expected


def test_two_forms_or_an_unknown_one_are_refused():
    with pytest.raises(InputError, match="both --json and --format csv"):
        layout_of("csv", None, as_json=True)
    with pytest.raises(InputError, match="--format 'xml' is not a form"):
        layout_of("xml", None, as_json=False)
    with pytest.raises(InputError, match=r"--format parquet is not text\. Pass --out"):
        Prediction(layout="parquet")


def test_thresholds_may_be_of_labels_with_an_equals_sign():
    assert thresholds_of(["A=0.4", "N=1e-1", "a=b=0.5"]) == {"A": 0.4, "N": 0.1, "a=b": 0.5}
    for wrong in ("A", "=0.4", "A=high", "A="):
        with pytest.raises(InputError, match="is not LABEL=P"):
            thresholds_of([wrong])


def test_files_are_found_once_by_name_folder_record_or_pattern(tmp_path):
    for name in ("b.hea", "a.hea", "c.edf"):
        (tmp_path / name).write_text("")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "d.hea").write_text("")
    given = [
        str(tmp_path / "b.hea"), str(tmp_path / "*.hea"), str(tmp_path / "a"), str(tmp_path / "in"),
        str(tmp_path / "**" / "d.hea"), "simulated:SR", str(tmp_path / "none.hea"), str(tmp_path / "x*.edf"),
    ]  # fmt: skip
    present, missing = _found(given)
    assert present == [
        str(tmp_path / "b.hea"), str(tmp_path / "a.hea"), str(tmp_path / "a"), str(tmp_path / "in"),
        str(tmp_path / "in" / "d.hea"), "simulated:SR",
    ]  # fmt: skip
    assert [own.reason for own in missing] == ["The file does not exist.", "No file matches the pattern."]
