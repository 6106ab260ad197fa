"""A bundle of several models: written, checked, loaded and asked, from the base install alone."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tiny_bundle import CLASSES, N_SAMPLES, description

import cardioflow
from cardioflow import EcgDataset
from cardioflow.bundle import MemberDescription, write_bundle
from cardioflow.bundle.package import CHECKSUMS
from cardioflow.errors import DumpError, WriteError


def files_of(cinc: Path, n: int = 6) -> list[Path]:
    found = sorted(cinc.glob("*.hea"))
    return [path for path in found if int(path.read_text().split()[3]) >= 3000][-n:]


def numbers(predictions) -> np.ndarray:
    return np.array([list(p.probabilities.values()) for p in predictions if p.judged])


def test_the_answer_is_the_calibrated_weighted_mean_of_what_onnx_runtime_says(tiny, cinc):
    files = files_of(cinc)
    found = cardioflow.load(tiny).predict(files)
    for path, answer in zip(files, found, strict=True):
        batch = EcgDataset({"r": path}).next_batch(1).load(components=["signal", "meta"])
        rows = batch.resample_signals(150).split_signals(N_SAMPLES, N_SAMPLES).standardize().signal[0]
        mean = np.zeros(2)
        for name, weight in (("a", 0.7), ("b", 0.3)):
            session = onnxruntime.InferenceSession(tiny / f"{name}.onnx", providers=["CPUExecutionProvider"])
            (logits,) = session.run(None, {"x": rows})
            raised = np.exp(logits.astype(float))
            mean += weight * (raised / raised.sum(axis=1, keepdims=True)).mean(axis=0)
        # A temperature of 1.5 divides the logarithms.
        scaled = mean ** (1 / 1.5)
        expected = scaled / scaled.sum()
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, atol=1e-6)
        assert answer.labels == (CLASSES[int(expected.argmax())],)
        assert answer.prediction_set == tuple(
            c for c, p, low in zip(CLASSES, expected, (0.2, 0.3), strict=True) if p >= low
        )
        assert [note.text for note in answer.notes] == ["Lead I is missing; ECG was used instead."]


def test_folder_zip_batch_arrays_and_jobs_give_the_same_numbers(tiny, cinc, tmp_path):
    files = files_of(cinc)
    bundle = cardioflow.load(tiny)
    expected = numbers(bundle.predict(files))
    bundle.save(tmp_path / "tiny.zip")
    batch = EcgDataset({str(f): f for f in files}).next_batch(len(files)).load(components=["signal", "meta"])
    arrays = [batch.signal[i] for i in range(len(files))]
    for found in (
        cardioflow.load(tmp_path / "tiny.zip").predict(files),
        bundle.predict(batch),
        bundle.predict(files, jobs=2, batch_size=2),
        bundle.predict(arrays, fs=300, leads=["I"]),
        bundle.predict([x * 1000 for x in arrays], fs=300, units="uV"),
    ):
        np.testing.assert_allclose(numbers(found), expected, atol=1e-6)


def test_a_bundle_answers_where_no_backend_can_be_imported(tiny, cinc):
    files = files_of(cinc, 3)
    program = textwrap.dedent(f"""
        import json, sys

        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {{"torch", "jax", "tensorflow", "keras", "onnx"}}:
                    raise ImportError(name)

        sys.meta_path.insert(0, Refuse())
        import cardioflow
        found = cardioflow.load({str(tiny)!r}).predict({[str(f) for f in files]!r})
        print(json.dumps([list(p.probabilities.values()) for p in found]))
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), numbers(cardioflow.load(tiny).predict(files)), atol=1e-9)


def test_every_altered_byte_of_a_folder_is_refused(tiny, tmp_path):
    names = sorted(path.name for path in tiny.iterdir())
    assert names == [CHECKSUMS, "a.onnx", "b.onnx", "bundle.json"]
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in names:
        content = (tiny / name).read_bytes()
        (copy / name).write_bytes(content)
    rng = np.random.default_rng(0)
    for name in names:
        content = (tiny / name).read_bytes()
        for place in {0, len(content) - 1, *rng.integers(len(content), size=8).tolist()}:
            altered = bytearray(content)
            altered[place] ^= 1 << int(rng.integers(8))
            (copy / name).write_bytes(altered)
            with pytest.raises(DumpError, match=r"altered|incomplete|lists|missing"):
                cardioflow.load(copy)
        (copy / name).write_bytes(content)
    assert cardioflow.load(copy).classes == CLASSES


def test_an_altered_zip_is_refused_or_has_the_same_content(tiny, tiny_files, tmp_path):
    path = tmp_path / "t.zip"
    whole = write_bundle(path, description(), tiny_files)
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for place in rng.integers(len(content), size=60).tolist():
        altered = bytearray(content)
        altered[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(altered)
        try:
            found = cardioflow.load(path)
        except DumpError:
            refused += 1
        else:
            # A time stamp, or the copy of an attribute that nothing reads.
            assert found.description == whole.description
    assert refused > 50


@pytest.mark.parametrize("change", ["missing", "extra", "folder", "link", "no sums"])
def test_a_folder_of_other_files_than_listed_is_refused(tiny, tmp_path, change):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tiny.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    if change == "missing":
        (copy / "b.onnx").unlink()
    elif change == "extra":
        (copy / "c.onnx").write_bytes(b"")
    elif change == "folder":
        (copy / "more").mkdir()
    elif change == "link":
        (copy / "b.onnx").unlink()
        (copy / "b.onnx").symlink_to(tiny / "b.onnx")
    else:
        (copy / CHECKSUMS).unlink()
    messages = {
        "missing": r"is incomplete: its file 'b\.onnx' is missing\. Copy the bundle again",
        "extra": r"was altered: SHA256SUMS does not list its file 'c\.onnx'\. Remove the file",
        "folder": r"has 'more', which is a folder or a link; a bundle has plain files",
        "link": r"has 'b\.onnx', which is a folder or a link",
        "no sums": r"is incomplete: it has no SHA256SUMS",
    }
    with pytest.raises(DumpError, match=messages[change]):
        cardioflow.load(copy)


def test_a_zip_that_claims_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.json", "0" * 10_000_000)
    with pytest.raises(DumpError, match=r"claims 10000000 bytes of content in a file of \d+"):
        cardioflow.load(path)


def test_a_bundle_that_could_not_be_loaded_is_not_written(tiny_files, tmp_path):
    path = tmp_path / "b"
    with pytest.raises(DumpError, match=r"cannot be loaded\. The file 'b\.onnx', which bundle\.json names, is missing"):
        write_bundle(path, description(), {"a.onnx": tiny_files["a.onnx"]})
    with pytest.raises(DumpError, match=r"has 'c\.onnx', which no member of the description names"):
        write_bundle(path, description(), {**tiny_files, "c.onnx": b""})
    with pytest.raises(DumpError, match=r"The graph 'a\.onnx' cannot be used\. The (ONNX graph|file) is"):
        write_bundle(path, description(), {**tiny_files, "a.onnx": b"\x08\x08"})
    bad = MemberDescription(name="a", onnx="a.onnx", preparation=cardioflow.Pipeline().load().to_json())
    with pytest.raises(DumpError, match=r"The preparation of member 'a' reads files"):
        write_bundle(path, description(members=(bad,)), {"a.onnx": tiny_files["a.onnx"]})
    with pytest.raises(DumpError, match=r"Entry 'calibration' is not a fitted object"):
        write_bundle(path, description(calibration={"$temperature_scaling": 1, "temperature": -1}), tiny_files)
    with pytest.raises(DumpError, match=r"Entry 'calibration' is a ConformalSets; expected a Calibrator"):
        write_bundle(path, description(calibration=description().conformal), tiny_files)
    assert not path.exists()


def test_a_bundle_is_not_written_over_other_files(tiny_files, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    with pytest.raises(WriteError, match=r"cannot be written to .*: the folder is not empty"):
        write_bundle(tmp_path / "full", description(), tiny_files)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


def test_thresholds_decide_and_are_kept(tiny, cinc, tmp_path):
    bundle = cardioflow.load(tiny)
    (file,) = files_of(cinc, 1)
    p = bundle.predict(file)[0].probabilities
    bundle.thresholds = {"A": max(p["A"] - 0.01, 0)}
    assert bundle.predict(file)[0].labels == ("A",)
    bundle.save(tmp_path / "again")
    assert cardioflow.load(tmp_path / "again").predict(file)[0].labels == ("A",)
    with pytest.raises(DumpError, match=r"Entry 'thresholds' has the label 'VT'"):
        bundle.thresholds = {"VT": 0.5}


def test_the_card_says_what_the_bundle_is_and_is_not_for(tiny):
    lines = dict(line.split(maxsplit=1) for line in str(cardioflow.load(tiny).card).splitlines())
    assert lines["model"] == "tiny 0.1 (a 0.7, b 0.3)"
    assert lines["data"] == "CinC 2017, 60 records, ODC-By 1.0"
    assert "unknown" not in str(cardioflow.load("beats").card)
    assert lines["substitutes"] == "I by ECG, II"
    assert "F1 A 0.7 (0.5 to 0.9)" in lines["scores"]
    assert "not for     patients" in str(cardioflow.load(tiny).card)


def test_a_name_that_is_neither_shipped_nor_a_path_lists_the_shipped_ones():
    with pytest.raises(DumpError, match=r"'beets' is neither a bundle of the package nor the path of one"):
        cardioflow.load("beets")


def test_command_and_server_give_the_numbers_of_python(tiny, cinc, tmp_path):
    import asyncio

    import httpx
    from typer.testing import CliRunner

    from cardioflow.cli.app import app
    from cardioflow.serve.app import create_app
    from cardioflow.serve.settings import ServerSettings

    files = files_of(cinc, 3)
    expected = cardioflow.load(tiny).predict(files)
    done = CliRunner().invoke(app, ["predict", str(tiny), *map(str, files), "--json"])
    printed = json.loads(done.stdout)["predictions"]
    assert [p["probabilities"] for p in printed] == [dict(p.probabilities) for p in expected]
    assert [p["prediction_set"] for p in printed] == [list(p.prediction_set) for p in expected]
    archive = tmp_path / "r.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for suffix in (".hea", ".mat"):
            made.write(files[0].with_suffix(suffix), f"{files[0].stem}{suffix}")
    service = create_app(ServerSettings(bundles=(str(tiny),), timeout_s=120))

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://127.0.0.1") as client:
            url = "/v1/predict/tiny?filename=r.zip"
            return await client.post(url, content=archive.read_bytes(), timeout=120)

    sent = asyncio.run(ask()).json()
    assert sent["probabilities"] == pytest.approx(dict(expected[0].probabilities), abs=1e-9)
    assert sent["prediction_set"] == list(expected[0].prediction_set)
    assert sent["notes"] == [{"code": "substitute_lead", "text": "Lead I is missing; ECG was used instead."}]
