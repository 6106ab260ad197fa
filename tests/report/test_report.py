from __future__ import annotations

import html
import re
import runpy
import tomllib
from dataclasses import replace
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pdf_strokes import page_size, pulses, strokes
from tiny_bundle import description, train
from typer.testing import CliRunner

from cardioflow.bundle import Predictions, RecordPrediction, write_bundle
from cardioflow.cli.app import app
from cardioflow.errors import InputError, WriteError
from cardioflow.io.reading import read_each, request_for
from cardioflow.report.page import examination
from cardioflow.report.page.examination import examine
from cardioflow.report.page.html import table
from cardioflow.report.page.page import page_of
from cardioflow.report.page.rhythm import ModelAnswer, Rhythm, af_bundle
from cardioflow.report.page.saliency import occlusion_saliency
from cardioflow.report.page.texts import Texts
from cardioflow.report.page.values import rows_of
from cardioflow.report.write_report import write_reports

run = CliRunner()


@pytest.fixture(scope="module")
def schiller(data):
    return examine(data / "formats" / "schiller_xml" / "cardio_sample.xml")


@pytest.fixture(scope="module")
def page(schiller):
    return page_of(schiller)


def words(page):
    body = re.sub(r"<(style|script)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


# -- what the page says ------------------------------------------------------


def test_the_table_has_our_value_the_range_the_devices_value_and_the_difference(schiller):
    rows = {row.name: row for row in rows_of(schiller)}
    qrs = schiller.measured["qrs"]
    assert rows["qrs"].device == "94 ms"  # what the file stores
    assert rows["qrs"].value == f"{1000 * qrs:.0f} ms"
    assert rows["qrs"].difference == f"+{1000 * qrs - 94:.0f} ms"
    assert rows["qrs"].range == "69 – 110 ms"
    assert rows["qrs_axis"].device == "0°"
    assert rows["qtc_hodges"].device == ""


def test_the_page_has_the_values_of_measure_and_says_what_it_assumes(schiller, page):
    said = words(page)
    for name in ("pr", "qrs", "qt"):
        assert f"{1000 * schiller.measured[name]:.0f} ms" in said
    assert "The age is not stated: the ranges are those of adults." in said
    assert "The sex is not stated" in said
    assert "Mason JW" in said
    assert "Rautaharju PM" in said
    assert "This is not a medical device" in said


def test_the_page_loads_nothing_runs_its_own_script_alone_and_stays_below_500_kb(page):
    assert len(page.encode()) < 500_000
    assert not re.findall(r'(?:src|href)="(?!#|data:|index\.html)', page.replace('href="index.html"', ""))
    assert "default-src 'none'" in html.unescape(page)
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= ids
    # A colour that a careless replacement damages draws nothing, or black.
    assert all(re.fullmatch(r"none|#[0-9a-f]{3,6}", colour) for colour in re.findall(r'stroke(?:="|: )([^";]+)', page))
    assert "@import" not in page


def test_the_page_is_complete_without_javascript(page):
    without = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert len(re.findall(r'<svg class="paper"', without)) >= 2
    assert without.count("<table") >= 4
    assert "<noscript>" in without


def test_readers_who_do_not_see_the_page_find_landmarks_headings_and_descriptions(page):
    assert '<html lang="en">' in page
    for mark in ("<header>", "<main>", "<nav aria-label=", 'class="skip" href="#ecg"', 'aria-live="polite"'):
        assert mark in page
    headings = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert headings.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(headings))
    drawings = re.findall(r"<svg [^>]*>", page)
    assert all('role="img"' in svg and ("aria-label" in svg) for svg in drawings)
    assert all("<caption>" in part for part in page.split("<table")[1:])
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    # What scrolls can be reached by the keyboard.
    assert all('tabindex="0"' in div for div in re.findall(r'<div class="(?:scroll|wide)"[^>]*>', page))


def test_a_file_that_names_the_patient_gives_a_page_that_does_not(data):
    path = data / "formats" / "sierra_xml" / "129DYPRG.XML"
    (named,) = read_each([path], "sierra_xml", request_for(("meta",), {"identify": True}), {"identify": True})
    seen = examine(path)
    said = page_of(seen)
    assert seen.identifies
    for key in ("patient_name", "patient_id", "birth_date", "name", "id"):
        value = str(named.meta.get(key) or "")
        assert len(value) < 3 or value not in said
    assert "The file identifies the patient. Name, number and birth date were not read." in said
    with pytest.raises(InputError, match="A report does not name the patient"):
        examine(path, options={"identify": True})


def test_what_was_guessed_computed_or_not_measured_is_listed_with_the_reason(data):
    wav = words(page_of(examine(data / "formats" / "wav" / "cardio_sample.wav")))
    assert "the scale of signal 0" in wav
    assert "unit unknown, not to scale" in wav
    contec = words(page_of(examine(data / "formats" / "contec" / "0000037.ECG")))
    assert "computed leads: I, aVR, aVL, aVF" in contec
    assert "V1: no samples" in contec


def test_text_of_a_file_is_escaped():
    assert "<b>" not in table("<b>", ["<b>"], [["<b>", "<b>&"]])


def test_a_device_that_writes_zero_for_a_rate_has_not_measured_it(schiller):
    meta = {**schiller.record.meta, "measurements": {"ventricular_rate": 0.0, "qrs_axis": 0.0}}
    record = SimpleNamespace(meta=meta)
    seen = replace(schiller, record=record)
    assert seen.device("heart_rate") is None
    assert seen.device("qrs_axis") == 0.0


def test_axes_on_both_sides_of_180_degrees_are_close(schiller):
    from cardioflow.report.page.values import _difference

    assert _difference("qrs_axis", 175.0 - -175.0) == "−10°"
    assert [_difference("qt", v) for v in (0.0124, -0.0004)] == ["+12 ms", "0 ms"]


def test_the_table_compares_the_same_values_as_the_benchmark_with_the_devices():
    script = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "compare_devices.py"), run_name="imported")
    ours = {name: theirs for name, (theirs, _) in examination.DEVICE_NAMES.items()}
    assert {name: ours[name] for name, _, _ in script["PAIRS"]} == {name: theirs for name, theirs, _ in script["PAIRS"]}


# -- rhythm ------------------------------------------------------------------


def test_without_a_model_the_classical_test_is_named_as_such_and_says_when_it_cannot_judge(page):
    said = words(page)
    assert "No trained model was used." in said
    assert "Classical test for atrial fibrillation from the intervals, no model" in said
    assert "Cannot be judged" in said  # 10 s are fewer than 31 intervals


def test_irregular_intervals_of_beats_that_two_detectors_do_not_agree_on_are_not_called_fibrillation(data):
    seen = examine(data / "formats" / "edf" / "contec_0000050.edf")
    assert seen.rhythm.classical.episodes
    assert "Atrial fibrillation is suspected in 100%" in words(page_of(seen))
    doubtful = replace(seen, quality=tuple(own._replace(agreement=0.6) for own in seen.quality))
    said = words(page_of(doubtful))
    assert "Cannot be judged: two detectors agree on 60% of the beats in the best lead" in said
    assert "Atrial fibrillation is suspected" not in said


def test_the_quality_model_judges_each_lead(data):
    seen = examine(data / "formats" / "contec" / "0000037.ECG")
    assert [own.acceptable.acceptable for own in seen.quality] == [True] * 6 + [False] * 6
    assert "The quality model finds the record not acceptable (1.00)." in words(page_of(seen))


def test_a_models_answer_has_its_probabilities_set_and_saliency(schiller):
    answer = ModelAnswer(
        "af", ("A",), {"N": 0.2, "A": 0.7, "O": 0.1}, ("N", "A"), notes=("lead II stood in for I",),
        meanings={"A": "atrial fibrillation"},
    )  # fmt: skip
    weights = np.zeros(5000)
    weights[1500:2000] = 1.0
    rhythm = Rhythm(schiller.rhythm.classical, answer, weights)
    page = page_of(replace(schiller, rhythm=rhythm))
    said = words(page)
    for text in (
        "0.700",
        "Cannot be excluded N, atrial fibrillation (A)",
        "The model does not decide",
        "lead II stood in for I",
    ):
        assert text in said
    bars = re.findall(r'<rect x="(\d+)"[^>]*fill-opacity="1.00"', page)
    assert min(map(int, bars)) == pytest.approx(100 * (17 + 25 * 3.0), abs=30)  # 3 s into the strip


def test_a_model_that_abstains_says_why(schiller):
    rhythm = Rhythm(schiller.rhythm.classical, ModelAnswer("af", reasons=("The record lasts 3 s.",)))
    said = words(page_of(replace(schiller, rhythm=rhythm)))
    assert "Cannot be judged. The record lasts 3 s." in said


def test_a_real_bundle_is_asked_for_the_file_and_its_abstention_is_shown(cinc, data, tmp_path):
    write_bundle(
        tmp_path / "tiny",
        description(members=(replace(description().members[0], weight=1.0),)),
        {"a.onnx": train(cinc, seed=1)},
    )
    _, bundle = af_bundle(tmp_path / "tiny")
    path = sorted(cinc.glob("A*.hea"))[0]
    seen = examine(path, bundle=("tiny", bundle))
    found = bundle.predict([path])[0]
    assert seen.rhythm.model.probabilities == pytest.approx(dict(found.probabilities), abs=1e-9)
    assert seen.rhythm.model.prediction_set == found.prediction_set
    # Covering a second can only matter where the model looks: its windows of 10 s leave the rest of the record out.
    saliency = seen.rhythm.saliency
    assert saliency is None or (saliency.shape == (seen.n_samples,) and saliency.max() == 1.0)
    wav = examine(data / "formats" / "wav" / "cardio_sample.wav", bundle=("tiny", bundle)).rhythm.model
    assert wav.reasons
    assert not wav.labels


def test_saliency_is_highest_where_covering_the_record_costs_the_answer_most():
    class LooksAtTheThirdSecond:
        def predict(self, signals, *, fs, leads):
            shares = [float(np.ptp(x[0, 500:750]) > 0.5) * 0.8 + 0.1 for x in signals]
            found = [RecordPrediction(str(k), None, (), {"A": p, "N": 1 - p}) for k, p in enumerate(shares)]
            return Predictions(tuple(found))

    signal = np.tile(np.sin(np.arange(2500) / 5), (2, 1)).astype(np.float32)
    answer = RecordPrediction("x", None, ("A",), {"A": 0.9, "N": 0.1})
    found = occlusion_saliency(LooksAtTheThirdSecond(), signal, 250.0, ("I", "II"), answer)
    assert np.flatnonzero(found).tolist() == list(range(500, 750))
    assert found.max() == 1.0
    nothing = RecordPrediction("x", None, ("N",), {"A": 0.9, "N": 0.1})
    assert occlusion_saliency(LooksAtTheThirdSecond(), signal, 250.0, ("I", "II"), nothing) is None


# -- files, folders, errors --------------------------------------------------


def test_the_rest_goes_on_when_a_file_cannot_be_read_and_the_index_says_why(data, tmp_path):
    good = data / "formats" / "edf" / "cardio_sample.edf"
    bad = tmp_path / "broken.edf"
    bad.write_bytes(b"0       " + bytes(50))
    out = tmp_path / "out"
    done = run.invoke(app, ["report", str(bad), str(good), str(good), "--out", str(out), "--pdf"])
    assert done.exit_code == 2
    assert str(bad) in done.stderr
    names = ["cardio_sample-2.html", "cardio_sample-2.pdf", "cardio_sample.html", "cardio_sample.pdf", "index.html"]
    assert sorted(p.name for p in out.iterdir()) == names
    index = (out / "index.html").read_text()
    assert "Files that could not be read" in index
    assert 'href="cardio_sample-2.html"' in index
    pdf = (out / "cardio_sample.pdf").read_bytes()
    assert page_size(pdf) == pytest.approx((297, 210), abs=0.1)
    found = pulses(strokes(pdf))
    assert len(found) == 5  # 40 s of one lead, and the median beat
    assert all(height == pytest.approx(10.0, abs=0.01) for height, _ in found)


def test_a_folder_that_cannot_be_written_is_refused_before_any_file_is_read(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(examination, "look", lambda *_: pytest.fail("a file was read"))
    with pytest.raises(WriteError) as caught:
        write_reports([tmp_path / "a.edf"], blocked / "out")
    assert str(blocked / "out") in str(caught.value)
    assert "choose another folder" in str(caught.value)


def test_no_files_are_an_error(tmp_path):
    with pytest.raises(InputError, match=r"There is no file to report on\. Pass ECG files"):
        write_reports([], tmp_path)


@pytest.mark.parametrize("kind", ["flat", "noise", "missing", "one second"])
def test_a_record_in_which_nothing_can_be_measured_gives_a_page_that_says_so(tmp_path, kind):
    fs, n = 250, 250 if kind == "one second" else 2500
    x = np.random.default_rng(0).normal(0, 0.1, (2, n)).astype(np.float32)
    if kind == "flat":
        x[:] = 0.0
    if kind == "missing":
        x[:] = np.nan
    path = tmp_path / "record.npz"
    np.savez(path, signal=x, fs=fs, leads=np.array(["I", "II"]), units=np.array(["mV", "mV"]))
    said = words(page_of(examine(path)))
    assert "not measured:" in said
    assert "Not measured" in said


# -- texts -------------------------------------------------------------------


def test_every_text_of_the_page_comes_from_the_file_and_can_be_translated(schiller, tmp_path):
    source = (files("cardioflow.report.page") / "en.toml").read_text("utf-8")
    german = tmp_path / "de.toml"
    changed = source.replace('heading = "Measurements"', 'heading = "Messwerte"').replace('lang = "en"', 'lang = "de"')
    german.write_text(f'{changed}"clipped" = "übersteuert"\n', "utf-8")
    texts = Texts.read(german)
    assert (texts.reason("clipped"), texts.reason("flat")) == ("übersteuert", "flat")
    page = page_of(schiller, texts)
    assert '<html lang="de">' in page
    assert '<h2 id="measurements-h">Messwerte</h2>' in page


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.replace('skip = "Skip to the ECG"\n', ""), "lack page.skip"),
        (lambda t: t.replace('title = "ECG report: {name}"', 'title = "{nom}"'), "other braces in page.title"),
        (lambda t: t.replace("[tools]", "[tool]"), "have no table [tools]"),
        (lambda t: t + "\nx = ", "cannot be read"),
    ],
)
def test_a_translation_that_is_not_complete_is_refused(tmp_path, change, text):
    source = (files("cardioflow.report.page") / "en.toml").read_text("utf-8")
    path = tmp_path / "xx.toml"
    path.write_text(change(source), "utf-8")
    with pytest.raises(InputError) as caught:
        Texts.read(path)
    assert text in str(caught.value)


def test_each_text_is_used():
    source = files("cardioflow.report.page")
    tables = tomllib.loads((source / "en.toml").read_text("utf-8"))
    code = "".join(path.read_text() for path in Path(str(source)).parent.rglob("*.py"))
    for table_name, own in tables.items():
        if table_name in ("names", "reasons", "tools"):
            continue
        for key in own:
            assert f"{table_name}.{key}" in code or f'"{key}"' in code, f"{table_name}.{key}"


def test_the_name_of_a_page_is_one_that_a_link_and_every_system_can_hold(tmp_path):
    done = write_reports([Path("simulated:SR?duration_s=10&leads=I,II")], tmp_path)
    (page,) = done.pages
    assert page.name == "simulated_SR_duration_s_10_leads_I_II.html"
    assert f'href="{page.name}"' in done.index.read_text()
