"""Each shipped bundle on each kind of record that a model should not answer, in each output.

The table below is the one of ``docs/bundles.md``. ``quality`` answers noise
and flat lines, because that is what it is asked, and paced rhythms with a note.
"""

from __future__ import annotations

import asyncio
import csv
import html
import io
import json
import re
from pathlib import Path

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import cardioflow
from cardioflow import EcgDataset
from cardioflow.bundle.shipped_bundles import shipped_names
from cardioflow.cli.app import app
from cardioflow.report.fhir import diagnostic_report
from cardioflow.report.write_report import write_reports
from cardioflow.serve.app import create_app
from cardioflow.serve.settings import ServerSettings

FS = 500.0
REASONS = {
    "flat": "flat",
    "noise": "noise",
    "no_lead": "no_known_lead",
    "paced": "paced",
    "short": "too_short",
    "steps": "unknown_unit",
}
ANSWERED = {
    ("quality", "flat"): ("unacceptable", []),
    ("quality", "noise"): ("unacceptable", []),
    ("quality", "paced"): ("acceptable", ["paced"]),
}
"""What is answered all the same: the label and the codes of the notes."""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """A file of each kind, from 20 s of a simulated sinus rhythm."""
    folder = tmp_path_factory.mktemp("kinds")
    batch = EcgDataset.simulated(1, rhythms=["SR"], duration_s=20, fs=FS, leads="I,II").next_batch(1)
    sound = batch.load(components=["signal", "meta"]).signal[0]
    paced = sound.copy()
    paced[:, 300::400] += 3.0
    noise = np.random.default_rng(0).normal(0, 0.3, sound.shape)
    kinds = {
        "flat": (np.zeros_like(sound), ["I", "II"], "mV"),
        "noise": (noise, ["I", "II"], "mV"),
        "no_lead": (sound, ["signal 0", "ABP"], "mV"),
        "paced": (paced, ["I", "II"], "mV"),
        "short": (sound[:, : int(3 * FS)], ["I", "II"], "mV"),
        "steps": (sound * 200, ["I", "II"], "unknown"),
    }
    paths = {}
    for name, (signal, leads, unit) in kinds.items():
        paths[name] = folder / f"{name}.npz"
        np.savez(paths[name], signal=signal.astype(np.float32), fs=FS, leads=leads, units=[unit] * 2)
    return paths


@pytest.fixture(scope="module", params=shipped_names())
def answers(request, files):
    """A bundle's description, and its answer to each file."""
    bundle = cardioflow.load(request.param)
    found = bundle.predict(list(files.values()))
    assert found.skipped == ()
    return bundle.description, dict(zip(files, found, strict=True))


def is_answered(bundle: str, kind: str) -> bool:
    return (bundle, kind) in ANSWERED


@pytest.mark.parametrize("kind", REASONS)
def test_the_reason_is_the_one_of_the_table(answers, kind):
    described, found = answers
    own = found[kind]
    if is_answered(described.name, kind):
        label, notes = ANSWERED[described.name, kind]
        assert own.judged
        assert own.labels == (label,)
        assert [note.code for note in own.notes] == notes
    else:
        assert [reason.code for reason in own.reasons] == [REASONS[kind]]
        assert own.labels == () == own.values
        assert not own.probabilities
        assert own.beats is own.waves is own.prediction_set is None
        assert not own.lead_quality


def test_the_command_prints_and_writes_the_same_reasons(answers, files, tmp_path):
    described, found = answers
    texts = {str(files[kind]): " ".join(r.text for r in own.reasons) for kind, own in found.items()}

    def call(*more: str) -> str:
        done = CliRunner().invoke(app, ["predict", described.name, *map(str, files.values()), *more])
        assert done.exit_code == 1, done.output
        return done.stdout

    printed = [line for line in call().splitlines() if not line.startswith("    note:")]
    assert [line.split("cannot be judged: ")[1:] for line in printed] == [[t] if t else [] for t in texts.values()]
    for own in json.loads(call("--json"))["predictions"]:
        assert (" ".join(r["text"] for r in own["reasons"]), own["judged"]) == (t := texts[own["file"]], not t)
    rows = list(csv.DictReader(io.StringIO(call("--format", "csv"))))
    assert {row["file"]: row["reasons"] for row in rows} == texts
    assert {row["file"] for row in rows if row["judged"] == "False"} == {file for file, text in texts.items() if text}
    assert call("--out", str(tmp_path / "p.parquet")) == ""
    table = pq.read_table(tmp_path / "p.parquet").to_pylist()
    assert {row["file"]: row["reasons"] for row in table} == texts
    numbers = {"time_s", "sample", "onset_s", "p_A", "p_acceptable"}
    assert not [row for row in table if row["reasons"] and any(row.get(name) is not None for name in numbers)]


def test_fhir_has_the_reason_in_place_of_a_value(answers):
    described, found = answers
    for kind, own in found.items():
        report = diagnostic_report(own, described)
        (observation,) = report["contained"]
        text = " ".join(reason.text for reason in own.reasons)
        if is_answered(described.name, kind):
            assert "dataAbsentReason" not in observation
            assert not report["conclusion"].startswith("Cannot")
        else:
            assert observation["dataAbsentReason"]["text"] == text
            assert not {"valueQuantity", "valueCodeableConcept", "component"} & observation.keys()
            assert report["conclusion"].startswith(f"Cannot be judged: {text}")


def test_the_server_gives_the_same_reasons(answers, files):
    described, found = answers
    served = create_app(ServerSettings(bundles=(described.name,), timeout_s=120.0))

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(served), base_url="http://127.0.0.1:8000", timeout=120
        ) as client:
            url = f"/v1/predict/{described.name}"
            return [
                await client.post(url, params={"filename": path.name}, content=path.read_bytes())
                for path in files.values()
            ]

    for own, response in zip(found.values(), asyncio.run(ask()), strict=True):
        assert response.status_code == 200
        assert response.json()["reasons"] == [{"code": r.code, "text": r.text} for r in own.reasons]
        assert response.json()["judged"] is own.judged


def test_the_report_says_that_the_rhythm_cannot_be_judged_and_why(files, tmp_path):
    made = write_reports(list(files.values()), tmp_path)
    reasons = [own.reasons[0].text for own in cardioflow.load("af").predict(list(files.values()))]
    assert made.failures == []
    for page, reason in zip(made.pages, reasons, strict=True):
        words = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.read_text("utf-8"))))
        assert f"Cannot be judged. {reason}" in words
    assert made.index.read_text("utf-8").count("Cannot be judged") == len(files)


def test_a_spike_that_one_lead_does_not_show_is_seen_in_the_others(files):
    """``af`` takes lead I alone, in which a pacemaker's spike can be below 0.2 mV."""
    with np.load(files["paced"]) as kept:
        signal = kept["signal"].copy()
    signal[0, 300::400] -= 3.0
    wide = np.concatenate([signal, signal[1:], signal[1:]])
    (found,) = cardioflow.load("af").predict(wide, fs=FS, leads=["I", "II", "V1", "V2"])
    assert [reason.code for reason in found.reasons] == ["paced"]
    (without,) = cardioflow.load("af").predict(signal[:1], fs=FS, leads=["I"])
    assert without.judged


@pytest.mark.parametrize(("n_spikes", "judged"), [(2, True), (3, False)])
def test_three_spikes_in_a_short_record_are_pacing(files, n_spikes, judged):
    with np.load(files["short"]) as kept:
        x = np.tile(kept["signal"], 4)
    x[:, 700 : 700 + 900 * n_spikes : 900] += 3.0
    (found,) = cardioflow.load("beats").predict(x, fs=FS, leads=["I", "II"])
    assert found.judged is judged


def test_a_few_spikes_in_a_long_record_are_noted_and_it_is_judged():
    """Fewer than one in a minute: four in five minutes do not take the other beats away."""
    batch = EcgDataset.simulated(1, rhythms=["SR"], duration_s=300, fs=FS, leads="I,II").next_batch(1)
    x = batch.load(components=["signal", "meta"]).signal[0].copy()
    x[:, [10_000, 40_000, 80_000, 120_000]] += 3.0
    (found,) = cardioflow.load("beats").predict(x, fs=FS, leads=["I", "II"])
    assert found.judged
    (note,) = found.notes
    assert note.code == "paced"
    assert note.text.startswith("4 spikes of a pacemaker were found;")
    x[:, 100_000] += 3.0
    assert not cardioflow.load("beats").predict(x, fs=FS, leads=["I", "II"])[0].judged


def test_channels_that_are_not_ecg_leads_are_left_out_with_a_note(files):
    with np.load(files["short"]) as kept:
        x = np.tile(kept["signal"], 4)
    pressure = np.sin(np.arange(x.shape[1]) / 30)[None]
    (found,) = cardioflow.load("beats").predict(np.concatenate([x, pressure]), fs=FS, leads=["ECG1", "V1-V2", "ABP"])
    (alone,) = cardioflow.load("beats").predict(x, fs=FS, leads=["ECG1", "V1-V2"])
    np.testing.assert_array_equal(found.beats.sample, alone.beats.sample)
    assert [note.text for note in found.notes] == [
        "Channels whose names are not those of ECG leads were left out: ABP."
    ]
