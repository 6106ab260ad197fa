from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cardioflow import EcgDataset, Pipeline
from cardioflow.cli.app import app
from cardioflow.cli.predict import predict_files
from cardioflow.errors import DumpError, InputError
from cardioflow.io.base import Record
from cardioflow.registry import formats

FILES = ["simulated:AF?seed=1&duration_s=12", "simulated:SR?seed=2&duration_s=12"]
PREPARATION = Pipeline().load(fmt="simulated", components=["signal", "meta"]).split_signals(1000).standardize()


@pytest.fixture(scope="module")
def trained():
    """A run whose model was trained on one batch."""
    template = (
        Pipeline()
        .load(fmt="simulated", components=["signal", "meta"])
        .load(components="target")
        .random_split_signals(1000, 2)
        .standardize()
        .binarize_labels()
        .train_on_batch("fft_inception")
    )
    return (EcgDataset.simulated(4, duration_s=10.0) >> template).run(batch_size=4)


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "af.cardioflow"
    trained.save_model("fft_inception", path, preprocessing=PREPARATION)
    return path


def call(*arguments):
    return CliRunner().invoke(app, ["predict", *(str(a) for a in arguments)])


def test_json_gives_a_label_and_probabilities_per_file(model):
    done = call(model, *FILES, "--json")
    assert done.exit_code == 0
    answer = json.loads(done.stdout)
    assert [p["file"] for p in answer["predictions"]] == FILES
    for prediction in answer["predictions"]:
        shares = prediction["probabilities"]
        assert set(shares) == {"AF", "SR"}
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-5)
        assert prediction["labels"] == [max(shares, key=shares.get)]


def test_the_prediction_equals_the_one_in_python(model, trained):
    batch = EcgDataset({f: f for f in FILES}).next_batch(2).load(fmt="simulated", components=["signal", "meta"])
    values = trained.get_model("fft_inception").predict_on_batch(batch.split_signals(1000).standardize())
    expected = np.asarray(values).reshape(2, 3, 2).mean(axis=1)
    found = [list(p["probabilities"].values()) for p in predict_files(model, [Path(f) for f in FILES])["predictions"]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_without_json_each_file_gets_one_line(model):
    lines = call(model, *FILES).stdout.splitlines()
    assert [line.split()[0] for line in lines] == FILES
    assert all("AF 0." in line for line in lines)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_predicted(model):
    done = call(model, "simulated:VT", FILES[0], "--json")
    assert done.exit_code == 2
    answer = json.loads(done.stdout)
    assert [p["file"] for p in answer["predictions"]] == [FILES[0]]
    assert answer["skipped"][0]["file"] == "simulated:VT"
    assert "cardioflow: simulated:VT: 'simulated:VT' asks for the rhythm 'VT'." in done.stderr


def test_reordered_leads_are_reported_on_standard_error(model):
    wide = f"{FILES[0]}&leads=II,I"
    done = call(model, wide, FILES[1], "--json")
    assert done.exit_code == 0
    text = f"The model takes the leads I. They are taken by name from records with the leads II, I, such as '{wide}'."
    answer = json.loads(done.stdout)
    assert answer["warnings"] == [text]
    assert done.stderr == f"cardioflow: {text}\n"
    narrow = json.loads(call(model, f"{FILES[0]}&leads=I", FILES[1], "--json").stdout)
    for found, expected in zip(answer["predictions"], narrow["predictions"], strict=True):
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
    assert narrow["warnings"] == []


def test_a_file_that_does_not_fit_the_model_is_named_and_the_others_are_predicted(model):
    two_leads = "simulated:AF?seed=1&duration_s=12&leads=II,V1"
    answer = predict_files(model, [Path(FILES[0]), Path(two_leads), Path(FILES[1])])
    assert [p["file"] for p in answer["predictions"]] == FILES
    (left_out,) = answer["skipped"]
    assert left_out["file"] == two_leads
    assert "The model takes the leads I, and record" in left_out["reason"]
    assert "has II, V1: I missing" in left_out["reason"]


def test_a_file_passed_twice_is_predicted_once(model):
    assert len(predict_files(model, [Path(FILES[0])] * 2)["predictions"]) == 1


def test_an_error_for_a_dump_without_preprocessing_says_how_to_save_it(trained, tmp_path):
    path = tmp_path / "bare.cardioflow"
    plain = trained.get_model("fft_inception")
    kept, plain.preprocessing = plain.preprocessing, None
    plain.save(path)
    plain.preprocessing = kept
    with pytest.raises(DumpError) as caught:
        predict_files(path, [Path(FILES[0])])
    assert "does not say how a file becomes what the model takes. Save it with its preprocessing" in str(caught.value)


def test_a_folder_stands_for_the_records_in_it(trained, tmp_path):
    path = tmp_path / "m.cardioflow"
    own = Pipeline().load(components=["signal", "meta"]).split_signals(1000).standardize()
    trained.save_model("fft_inception", path, preprocessing=own)
    folder = tmp_path / "in" / "sub"
    batch = EcgDataset({f: f for f in ["simulated:AF?seed=1&duration_s=12&leads=I"]}).next_batch(1)
    batch = batch.load(fmt="simulated", components=["signal", "meta"])
    for name in ("a", "b"):
        formats.get("npz")().write(
            Record(batch.signal[0], batch.meta[0]["fs"], batch.meta[0]["leads"], batch.meta[0]["units"], {}),
            folder / name,
        )
    (folder / "notes.txt").write_text("no ECG")
    done = call(path, tmp_path / "in", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["predictions"]
    assert [p["file"] for p in found] == [str(folder / "a.npz"), str(folder / "b.npz")]
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no ECG")
    done = call(path, tmp_path / "empty")
    assert isinstance(done.exception, InputError)
    assert "is a known ECG format" in str(done.exception)


def test_files_of_unknown_units_are_not_predicted_and_the_reason_is_given(trained, data, tmp_path):
    path = tmp_path / "m.cardioflow"
    own = Pipeline().load(components=["signal", "meta"]).split_signals(1000).standardize()
    trained.save_model("fft_inception", path, preprocessing=own)
    batch = EcgDataset({"a": "simulated:AF?seed=1&duration_s=12"}).next_batch(1).load(components=["signal", "meta"])
    leads, fs = batch.meta[0]["leads"], batch.meta[0]["fs"]
    np.savez(tmp_path / "a.npz", signal=np.rint(batch.signal[0] * 200).astype(np.int16), fs=fs, leads=np.array(leads))
    done = call(path, tmp_path / "a.npz", data / "formats" / "wav" / "cardio_sample.wav", "--json")
    assert done.exit_code == 2
    answer = json.loads(done.stdout)
    assert answer["predictions"] == []
    assert [s["file"].rpartition("/")[2] for s in answer["skipped"]] == ["a.npz", "cardio_sample.wav"]
    assert "The model was trained on signals in mV" in answer["skipped"][0]["reason"]


def test_an_error_names_its_file_once(tmp_path):
    (tmp_path / "bad.edf").write_bytes(b"rubbish")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    for name in ("bad.edf", "bad.csv"):
        path = tmp_path / name
        for arguments in (["predict", "beats"], ["measure"], ["report", "--out", str(tmp_path / "out")]):
            done = CliRunner().invoke(app, [*arguments, str(path)])
            assert done.exit_code == 2
            assert done.stderr.count(str(path)) == 1, done.stderr
    assert done.stderr.startswith(f"cardioflow: {path} holds no sampling rate; expected a column")
