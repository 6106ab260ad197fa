"""``cardioflow measure`` prints what ``measure`` finds."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow import EcgBatch
from cardioflow.cli.app import app
from cardioflow.report.measure_file import measure_file


def call(*arguments):
    return CliRunner().invoke(app, ["measure", *(str(a) for a in arguments)])


@pytest.fixture
def ecg(data):
    return data / "formats" / "muse_xml" / "braveheart_example1.xml"


def test_the_rate_and_intervals_of_a_file_are_printed_with_units(ecg):
    text = call(ecg).output
    assert "heart_rate      48." in text
    assert " ms" in text
    assert "qrs_axis" in text


def test_json_has_values_leads_reasons_and_the_devices_own(ecg):
    (found,) = json.loads(call(ecg, "--json", "--beats").stdout)
    assert found["whole"]["heart_rate"] == pytest.approx(found["device"]["ventricular_rate"], abs=1)
    assert set(found["leads"]) >= {"I", "II", "V1", "V6"}
    assert found["reasons"] == {}
    assert len(found["beats"]) == found["n_beats"]
    assert found["beats"][1]["rr"] == pytest.approx(60 / found["whole"]["heart_rate"], rel=0.1)


def test_csv_has_a_line_per_file_and_says_why_a_value_is_missing(ecg, data):
    lines = call(ecg, data / "ludb" / "44.hea", "--csv").stdout.splitlines()
    rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == [str(ecg), str(data / "ludb" / "44.hea")]
    assert float(rows[0]["heart_rate_bpm"]) == pytest.approx(48, abs=1)
    assert rows[1]["pr_s"] == ""
    assert "pr: no P wave" in rows[1]["reasons"]


def test_a_file_without_an_ecg_in_it_says_what_could_not_be_measured(tmp_path):
    batch = EcgBatch.from_arrays([np.zeros((1, 2500), np.float32)], fs=250.0, leads=["II"], ids=["flat"])
    batch.dump(tmp_path, fmt="wfdb")
    (path,) = tmp_path.glob("*.hea")
    facts = measure_file(path)
    assert facts["whole"]["heart_rate"] is None
    assert facts["not_measured"] == [{"start": 0, "stop": 2500, "reason": "flat"}]
    assert "not measured: no beats: flat" in call(path).output


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_measured(ecg, tmp_path):
    bad = tmp_path / "bad.xml"
    bad.write_bytes(b"<RestingECG></RestingECG>")
    done = call(bad, ecg, "--json")
    assert done.exit_code == 2
    assert str(bad) in done.stderr
    assert len(json.loads(done.stdout)) == 1


@pytest.mark.parametrize(
    ("options", "said"), [(("--json", "--csv"), "both --json and --csv"), (("--beats",), "--beats without --json")]
)
def test_options_that_do_not_go_together_are_refused(ecg, options, said):
    done = call(ecg, *options)
    assert said in str(done.exception)
