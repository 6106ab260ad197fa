"""A dump says what it is without any backend, and a file that is none says why."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow.errors import DumpError
from cardioflow.models.bundle import read_header, write


def text_of(path: Path) -> str:
    with pytest.raises(DumpError) as error:
        read_header(path)
    return str(error.value)


@pytest.fixture
def dump(linear, make_batch, tmp_path: Path) -> Path:
    linear.train_on_batch(make_batch(6), "accuracy")
    linear.preprocessing = [["load", {"fmt": "wfdb"}]]
    linear.notes = "trained on a Monday"
    linear.save(tmp_path / "model")
    return tmp_path / "model"


def rewritten(dump: Path, **changes: Any) -> Path:
    """Write ``dump`` anew with other entries in its header."""
    with zipfile.ZipFile(dump) as archive:
        header, weights = json.loads(archive.read("model.json")), archive.read("weights.safetensors")
    other = dump.with_name("other")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("model.json", json.dumps({**header, **changes}))
        archive.writestr("weights.safetensors", weights)
    return other


def test_the_header_tells_what_a_prediction_needs(dump, linear) -> None:
    header = read_header(dump)
    assert header["format"] == "cardioflow-model"
    assert header["adapter"] == "numpy"
    assert header["model"] == "LinearModel"
    assert header["classes"] == ["A", "NO"]
    assert header["input_shape"] == [1, 400]
    assert header["fs"] == 300.0
    assert header["leads"] == ["I"]
    assert header["hist"] == linear.hist
    assert header["preprocessing"] == [["load", {"fmt": "wfdb"}]]
    assert header["notes"] == "trained on a Monday"


def test_the_header_is_read_without_a_backend(dump) -> None:
    code = (
        f"import sys; from cardioflow.models.bundle import read_header; read_header({str(dump)!r}); "
        "print([m for m in ('keras', 'torch', 'jax', 'tensorflow', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_loaded_is_what_was_saved(dump, linear, linear_class, make_batch) -> None:
    again = linear_class().load(str(dump))
    assert again.classes == ("A", "NO")
    assert again.hist == linear.hist
    assert again.preprocessing == linear.preprocessing
    assert again.notes == linear.notes
    assert np.array_equal(again.predict_on_batch(make_batch(5)), linear.predict_on_batch(make_batch(5)))
    again.save(dump)
    assert read_header(dump)["fs"] == 300.0


def test_nothing_but_the_dump_is_left_and_an_old_one_survives_a_failure(dump, linear) -> None:
    before = dump.read_bytes()
    linear.preprocessing = {"function": object()}
    with pytest.raises(DumpError, match=r"The model's preprocessing or notes cannot be saved: .* Give plain JSON\."):
        linear.save(dump)
    assert dump.read_bytes() == before
    assert [p.name for p in dump.parent.iterdir()] == ["model"]


def test_a_loss_that_is_no_number_is_kept_as_such(linear, linear_class, tmp_path) -> None:
    linear.hist["train_loss"] = [1.0, float("nan")]
    linear.save(tmp_path / "model")
    assert np.isnan(linear_class().load(tmp_path / "model").hist["train_loss"][1])
    with zipfile.ZipFile(tmp_path / "model") as archive:
        assert "NaN" not in archive.read("model.json").decode()


def test_a_missing_path_says_so(tmp_path) -> None:
    path = tmp_path / "nowhere"
    assert text_of(path) == (
        f"There is no dump {str(path)!r}. Give the path of a file written by save, or by save_model."
    )


def test_a_folder_says_that_saved_models_are_not_read(tmp_path) -> None:
    assert text_of(tmp_path).startswith(
        f"{str(tmp_path)!r} is a folder, and a dump is one file. A TensorFlow SavedModel"
    )


def test_a_file_that_is_no_dump_says_so(tmp_path) -> None:
    path = tmp_path / "notes.txt"
    for content in (b"", b"a few words"):
        path.write_bytes(content)
        assert text_of(path) == (
            f"{str(path)!r} is no model. Give the path of a file written by save, or by save_model."
        )


def test_a_zip_of_something_else_says_so(tmp_path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.txt", "x")
    assert text_of(path).startswith(f"{str(path)!r} is a zip file, but no model: it holds no model.json. Give the path")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", "[]")
    assert text_of(path).startswith(f"{str(path)!r} is no model: its model.json is not CardioFlow's.")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", "{")
    assert text_of(path).startswith(f"{str(path)!r} is damaged: its model.json cannot be read")


def test_a_truncated_dump_says_so_at_any_length(dump) -> None:
    whole = dump.read_bytes()
    for share in (0.02, 0.3, 0.9, 0.999):
        dump.write_bytes(whole[: int(len(whole) * share)])
        message = text_of(dump)
        assert f"is not whole: it was cut off at {int(len(whole) * share)} bytes. Copy it or save it again." in message


def test_damaged_weights_are_noticed(dump, linear_class) -> None:
    whole = bytearray(dump.read_bytes())
    place = whole.index(b"weights.safetensors") + 200
    whole[place] ^= 0xFF
    dump.write_bytes(whole)
    with pytest.raises(DumpError, match=r"is damaged: .*Save the model again"):
        linear_class().load(dump)


def test_a_dump_of_a_version_to_come_says_so(dump) -> None:
    for version in (2, "1", None):
        message = text_of(rewritten(dump, version=version))
        assert f"is a dump of version {version!r}, and this CardioFlow reads up to version 1. Update" in message


@pytest.mark.parametrize(
    "entry",
    [{"classes": "A"}, {"classes": [1]}, {"hist": [1]}, {"hist": {"loss": ["high"]}}, {"model": 3}, {"multilabel": 0},
     {"input_shape": [1.5]}, {"fs": "fast"}],
)  # fmt: skip
def test_an_entry_of_another_type_is_damage(dump, entry) -> None:
    assert "is damaged: an entry of its model.json is not of its type. Save it again." in text_of(
        rewritten(dump, **entry)
    )


def test_bytes_changed_at_random_raise_nothing_but_dump_errors(linear_class, tmp_path) -> None:
    linear_class().build((1, 4)).save(tmp_path / "model")
    whole, rng = (tmp_path / "model").read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(len(damaged), size=rng.integers(1, 5))] = rng.integers(256)
        (tmp_path / "damaged").write_bytes(damaged.tobytes())
        try:
            linear_class().load(tmp_path / "damaged")
        except DumpError:
            refused += 1
    assert refused > 300


def test_a_header_cannot_name_a_file_outside(dump) -> None:
    assert "holds no weights. Save the model again." in text_of(rewritten(dump, weights="../secret"))
    assert "holds no weights" in text_of(rewritten(dump, weights=3))


def test_sizes_are_checked_against_the_file_before_anything_is_read(tmp_path) -> None:
    path = tmp_path / "bomb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.json", " " * 50_000_000)
    assert "claims 50000000 bytes of content in a file of" in text_of(path)


def test_the_dump_of_another_adapter_or_of_other_labels_is_refused(dump, linear_class) -> None:
    with pytest.raises(DumpError, match=r"is the dump of a keras model, and LinearModel is a numpy model\. Load"):
        linear_class().load(rewritten(dump, adapter="keras"))
    other = linear_class()
    other.classes = ("N", "V")
    with pytest.raises(DumpError, match=r"knows the labels \['A', 'NO'\], and this model \['N', 'V'\]"):
        other.load(dump)


def test_a_place_that_cannot_be_written_says_so(linear, tmp_path) -> None:
    with pytest.raises(DumpError, match=r"there is no folder .* Make it first"):
        linear.save(tmp_path / "no" / "model")
    with pytest.raises(DumpError, match=r"that is a folder\. Give the name of a file"):
        linear.save(tmp_path)


def test_weights_that_fail_to_be_written_leave_no_trace(tmp_path) -> None:
    def fails(folder: Path) -> str:
        (folder / "half").write_bytes(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write(tmp_path / "model", {"hist": {}}, fails)
    assert not list(tmp_path.iterdir())
