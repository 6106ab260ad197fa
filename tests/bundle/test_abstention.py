"""A bundle says of a record that it cannot be judged, and why, instead of an answer that means nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_bundle import description
from typer.testing import CliRunner

import cardioflow
from cardioflow import EcgDataset
from cardioflow.analysis.ecg_evidence import ecg_evidence
from cardioflow.batch.ragged import Ragged
from cardioflow.bundle import Limits, write_bundle
from cardioflow.cli.app import app

FS = 300.0


@pytest.fixture(scope="module")
def ecg(cinc: Path) -> np.ndarray:
    """The first 20 s of a clean record."""
    batch = EcgDataset({"r": cinc / "A00015.hea"}).next_batch(1).load(components=["signal", "meta"])
    return batch.signal[0][:, : 20 * 300]


def only(bundle, x, **given):
    (found,) = bundle.predict(x, **{"fs": FS, "leads": ["I"], **given})
    return found


def codes(found) -> list[str]:
    assert found.judged == (not found.reasons)
    assert found.judged or (found.labels == () and not found.probabilities and found.prediction_set is None)
    return [reason.code for reason in found.reasons]


def test_a_clean_record_is_judged(tiny, ecg):
    assert codes(only(cardioflow.load(tiny), ecg)) == []


def test_noise_alone_is_not_judged(tiny, ecg):
    bundle = cardioflow.load(tiny)
    noise = np.random.default_rng(0).normal(scale=0.3, size=ecg.shape)
    found = only(bundle, noise)
    assert codes(found) == ["noise"]
    # White noise has samples that look like spikes of a pacemaker; it is called noise at any rate.
    assert codes(only(bundle, np.random.default_rng(0).normal(scale=0.3, size=(1, 10_000)), fs=500.0)) == ["noise"]
    assert "No heart beats can be made out: the evidence is 0.00, below 0.65." in found.reasons[0].text


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (lambda x: np.full_like(x, 0.4), "flat", "The signal is flat in 100% of the seconds."),
        (lambda x: x[:, :900], "too_short", "The record lasts 3 s, and at least 9 s are needed."),
        (lambda x: x * 100, "out_of_range", "at most 20 mV is an ECG"),
        (lambda x: np.where(np.arange(x.shape[1]) < 1000, np.nan, x), "missing_samples", "17% of the samples are"),
    ],
)
def test_what_the_samples_do_not_allow_is_named(tiny, ecg, change, code, text):
    found = only(cardioflow.load(tiny), change(ecg))
    assert codes(found) == [code]
    assert text in found.reasons[0].text


def test_a_signal_in_steps_of_a_converter_is_not_judged(tiny, ecg):
    found = only(cardioflow.load(tiny), (ecg * 1000).astype(np.int16), units="adu")
    assert codes(found) == ["unknown_unit"]
    assert found.reasons[0].text == "The signal is in numbers without a unit, and mV is needed."


def test_a_record_without_a_known_lead_is_not_judged(tiny, ecg):
    found = only(cardioflow.load(tiny), np.concatenate([ecg, ecg]), leads=["V5", "V6"])
    assert codes(found) == ["no_known_lead"]
    assert found.reasons[0].text == "Lead I or a substitute (ECG, II) is needed, and the record has V5, V6."


def test_a_lead_that_is_there_twice_is_not_guessed(tiny, ecg):
    assert codes(only(cardioflow.load(tiny), np.concatenate([ecg, ecg]), leads=["I", "I"])) == ["no_known_lead"]


def test_the_lead_that_was_asked_for_is_taken_among_others(tiny, ecg):
    bundle = cardioflow.load(tiny)
    both = np.concatenate([np.zeros_like(ecg), ecg])
    assert only(bundle, both, leads=["V1", "I"]).probabilities == only(bundle, ecg).probabilities
    stood_in = only(bundle, both, leads=["V1", "II"])
    assert stood_in.probabilities == only(bundle, ecg).probabilities
    assert [note.code for note in stood_in.notes] == ["substitute_lead"]


def test_a_paced_record_is_not_judged_where_the_bundle_says_so(tiny_files, tmp_path, ecg):
    fs = 1000.0
    fine = EcgDataset.from_arrays(ecg[None], fs=FS, leads=["I"]).next_batch(1).load().resample_signals(fs)
    x = fine.signal[0].copy()
    for at in range(500, x.shape[1] - 10, 800):
        x[:, at : at + 2] += 1.5
    strict = write_bundle(tmp_path / "strict", description(), tiny_files)
    assert codes(only(strict, x, fs=fs)) == ["paced"]
    lenient = write_bundle(tmp_path / "lenient", description(limits=Limits(pacing="judge")), tiny_files)
    assert codes(only(lenient, x, fs=fs)) == []


def test_one_record_that_cannot_be_judged_changes_nothing_for_the_others(tiny, ecg):
    bundle = cardioflow.load(tiny)
    found = bundle.predict([ecg, ecg[:, :900], np.zeros_like(ecg), ecg], fs=FS, leads=["I"])
    assert [codes(p) for p in found] == [[], ["too_short"], ["flat"], []]
    assert found[0].probabilities == found[3].probabilities == only(bundle, ecg).probabilities


def test_evidence_is_high_for_hearts_and_low_for_noise(cinc):
    paths = sorted(cinc.glob("*.hea"))[:40]
    labels = dict(line.split(",") for line in (cinc / "REFERENCE.csv").read_text().split())
    batch = EcgDataset({p.stem: p for p in paths}).next_batch(len(paths)).load(components=["signal", "meta"])
    found = {name: float(ecg_evidence(x, FS)[0]) for name, x in zip(batch.ids, batch.signal, strict=True)}
    assert np.mean([value > 0.65 for name, value in found.items() if labels[name] != "~"]) >= 0.95
    rng = np.random.default_rng(0)
    white = rng.normal(scale=0.2, size=(20, 3000))
    brown = np.cumsum(rng.normal(scale=0.02, size=(20, 3000)), axis=1)
    mains = 0.5 * np.sin(2 * np.pi * 50 * np.arange(3000) / FS) + white
    assert max(ecg_evidence(x, FS).max() for x in (white, brown, mains)) < 0.5
    assert ecg_evidence(np.zeros(3000), FS)[0] == ecg_evidence(np.full(3000, np.nan), FS)[0] == 0


def test_the_command_prints_writes_and_returns_that_a_record_cannot_be_judged(tiny, cinc, tmp_path):
    short = "simulated:SR?seed=1&duration_s=4&leads=I"
    good = str(cinc / "A00015.hea")

    def call(*arguments):
        return CliRunner().invoke(app, ["predict", str(tiny), *map(str, arguments)])

    done = call(short, good)
    assert done.exit_code == 1, done.output
    first, second, note = done.stdout.splitlines()
    assert first.endswith("cannot be judged: The record lasts 4 s, and at least 9 s are needed.")
    assert second.split()[0] == good
    assert note == "    note: Lead I is missing; ECG was used instead."
    answer = json.loads(call(short, "--json").stdout)["predictions"][0]
    assert answer["judged"] is False
    assert answer["labels"] == []
    assert answer["reasons"] == [{"code": "too_short", "text": "The record lasts 4 s, and at least 9 s are needed."}]
    header, row = call(short, "--format", "csv").stdout.splitlines()
    assert header.split(",")[:3] == ["file", "judged", "reasons"]
    assert row.startswith(f'{short},False,"The record lasts 4 s, and at least 9 s are needed."')
    import pyarrow.parquet

    assert call(short, good, "--out", tmp_path / "p.parquet").exit_code == 1
    table = pyarrow.parquet.read_table(tmp_path / "p.parquet").to_pylist()
    assert [r["judged"] for r in table] == [False, True]
    assert table[0]["p_A"] is None
    assert 0 < table[1]["p_A"] < 1


def test_the_names_of_leads_can_be_given_on_the_command_line(tiny, cinc):
    def call(*arguments):
        return CliRunner().invoke(app, ["predict", str(tiny), "simulated:AF?leads=V3", *arguments])

    assert "Lead I or a substitute (ECG, II) is needed, and the record has V3." in call().stdout
    assert "cannot be judged" not in call("--leads", "lead ii").stdout
    done = call("--leads", "I,II")
    assert done.exit_code == 2
    assert "has 1 leads, and 2 names were given: I, II. Pass one name for each lead" in done.stderr


def test_a_missing_file_is_named_before_the_bundle_is_read(tmp_path):
    done = CliRunner().invoke(app, ["predict", str(tmp_path / "no-bundle"), str(tmp_path / "no.hea"), "no*.edf"])
    assert done.exit_code == 2
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert f"cardioflow: {tmp_path / 'no.hea'}: The file does not exist." in done.stderr
    assert "cardioflow: no*.edf: No file matches the pattern." in done.stderr


def test_thresholds_of_the_command_line_decide_and_are_shown(tiny, cinc):
    pattern = str(cinc / "A0001[5].hea")
    for share, label in (("0.01", "A"), ("0.99", "N")):
        done = CliRunner().invoke(app, ["predict", str(tiny), pattern, "--threshold", f"A={share}"])
        assert done.stdout.splitlines()[0].split()[1] == label, done.output
        assert f"(from {share})" in done.stdout
    done = CliRunner().invoke(app, ["predict", str(tiny), pattern, "--threshold", "A"])
    assert "--threshold 'A' is not LABEL=P" in str(done.exception)


@pytest.mark.parametrize("name", ["af", "af_dirichlet"])
def test_a_record_with_a_short_gap_is_answered_and_the_gap_is_noted(name, cinc) -> None:
    bundle = cardioflow.load(name)
    batch = EcgDataset({"r": cinc / "A00247.hea"}).next_batch(1).load(components=["signal", "meta"])
    whole = bundle.predict(batch)[0]
    x = batch.signal[0].copy()
    x[:, 1000:1027] = np.nan
    (found,) = bundle.predict(batch.replace(signal=Ragged.from_arrays([x])))
    assert found.labels == whole.labels
    assert found.probabilities == pytest.approx(whole.probabilities, abs=0.1)
    assert [note.code for note in found.notes if note.code == "missing_samples"] == ["missing_samples"]
    assert "0.3 % of the samples are missing" in str(found.notes)
    assert not [note for note in whole.notes if note.code == "missing_samples"]


def test_the_offset_of_an_electrode_is_taken_out_or_said_to_be_too_large(cinc) -> None:
    batch = EcgDataset({"r": cinc / "A00247.hea"}).next_batch(1).load(components=["signal", "meta"])
    moved = batch.replace(signal=Ragged.from_arrays([batch.signal[0] + np.float32(5)]))
    af, dirichlet = cardioflow.load("af"), cardioflow.load("af_dirichlet")
    assert af.predict(moved)[0].probabilities == pytest.approx(af.predict(batch)[0].probabilities, abs=1e-3)
    assert dirichlet.predict(batch)[0].judged
    # It was trained on signals around 0: at 1 mV, fibrillation of 0.8 becomes 0.2.
    (found,) = dirichlet.predict(moved)
    assert found.labels == ()
    assert [reason.code for reason in found.reasons] == ["out_of_range"]
    assert "mV from 0, and at most 0.25 mV is judged. Subtract the median of each lead." in found.reasons[0].text
