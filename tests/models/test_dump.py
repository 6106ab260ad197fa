"""The header of a dump is read without a backend, and errors say why a file is not a dump."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow.errors import CardioFlowError, DumpError
from cardioflow.models.dump import read_header, write
from cardioflow.models.dump_header import VERSION, DumpHeader


def text_of(path: Path) -> str:
    with pytest.raises(DumpError) as error:
        read_header(path)
    return str(error.value)


@pytest.fixture
def dump(linear, make_batch, tmp_path: Path) -> Path:
    linear.train_on_batch(make_batch(6), "accuracy")
    linear.preprocessing = '{"steps": []}'
    linear.notes = "trained on a Monday"
    linear.save(tmp_path / "model")
    return tmp_path / "model"


def rewritten(dump: Path, **changes: Any) -> Path:
    """Rewrite ``dump`` with other entries in its header."""
    with zipfile.ZipFile(dump) as archive:
        header, weights = json.loads(archive.read("model.json")), archive.read("weights.safetensors")
    other = dump.with_name("other")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("model.json", json.dumps({**header, **changes}))
        archive.writestr("weights.safetensors", weights)
    return other


def test_the_header_has_what_a_prediction_needs(dump, linear) -> None:
    header = read_header(dump)
    assert header.adapter == "numpy"
    assert header.model == "LinearModel"
    assert header.output == "exclusive"
    assert header.classes == ("A", "NO")
    assert header.input_shape == (1, 400)
    assert header.fs == 300.0
    assert header.leads == ("I",)
    assert header.hist == {name: tuple(values) for name, values in linear.hist.items()}
    assert header.preprocessing == '{"steps": []}'
    assert header.notes == "trained on a Monday"


def test_the_header_is_read_without_a_backend(dump) -> None:
    code = (
        f"import sys; from cardioflow.models.dump import read_header; read_header({str(dump)!r}); "
        "print([m for m in ('keras', 'torch', 'jax', 'tensorflow', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_loaded_dump_equals_the_saved_one(dump, linear, linear_class, make_batch) -> None:
    again = linear_class().load(str(dump))
    assert again.classes == ("A", "NO")
    assert again.hist == linear.hist
    assert again.preprocessing == linear.preprocessing
    assert again.notes == linear.notes
    assert np.array_equal(again.predict_on_batch(make_batch(5)), linear.predict_on_batch(make_batch(5)))
    again.save(dump)
    assert read_header(dump).fs == 300.0


def test_only_the_dump_is_left_and_an_old_one_survives_a_failure(dump, linear) -> None:
    before = dump.read_bytes()
    linear.preprocessing = {"function": object()}
    with pytest.raises(DumpError, match=r"Entry 'preprocessing' is .*; expected the text of Pipeline\.to_json"):
        linear.save(dump)
    assert dump.read_bytes() == before
    assert [p.name for p in dump.parent.iterdir()] == ["model"]


@pytest.mark.parametrize("name", ["w.safetensors", "weights", "weights.", "../weights.bin", "weights.Bin", None])
def test_weights_are_saved_only_under_a_name_that_can_be_loaded(linear_class, tmp_path, name) -> None:
    class Own(linear_class):
        def _write(self, folder: Path) -> str:
            if isinstance(name, str) and "/" not in name:
                (folder / name).write_bytes(b"numbers")
            return name

    with pytest.raises(DumpError, match=r"Own were written as .*, which could not be loaded again\. Write one file"):
        Own().build((1, 4)).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_weights_that_were_never_written_are_not_saved(linear_class, tmp_path) -> None:
    class Own(linear_class):
        def _write(self, folder: Path) -> str:
            return "weights.bin"

    with pytest.raises(DumpError, match=r"were written as 'weights\.bin', which could not be loaded again"):
        Own().build((1, 4)).save(tmp_path / "model")


def test_a_loss_that_is_not_a_number_is_kept(linear, linear_class, tmp_path) -> None:
    linear.hist["train_loss"] = [1.0, float("nan")]
    linear.save(tmp_path / "model")
    assert np.isnan(linear_class().load(tmp_path / "model").hist["train_loss"][1])
    with zipfile.ZipFile(tmp_path / "model") as archive:
        assert "NaN" not in archive.read("model.json").decode()


def test_an_error_names_a_missing_path(tmp_path) -> None:
    path = tmp_path / "nowhere"
    assert text_of(path) == (
        f"The dump {str(path)!r} does not exist. Pass the path of a file that save or save_model wrote."
    )


def test_an_error_for_a_folder_says_that_saved_models_are_not_read(tmp_path) -> None:
    assert text_of(tmp_path).startswith(
        f"{str(tmp_path)!r} is a folder, and a dump is one file. A TensorFlow SavedModel"
    )


def test_a_file_that_is_not_a_dump_is_refused(tmp_path) -> None:
    path = tmp_path / "notes.txt"
    for content in (b"", b"a few words"):
        path.write_bytes(content)
        assert text_of(path) == (
            f"{str(path)!r} is not a model. Pass the path of a file that save or save_model wrote."
        )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("photo.txt", "x", "is a zip file but not a model: it has no model.json. Pass the path"),
        (
            "model.json",
            "[]",
            "cannot be loaded, because its model.json is not a valid header. The header is not CardioFlow's, whose",
        ),
        ("model.json", "{", "cannot be loaded, because its model.json is not a valid header. The text is not JSON:"),
        ("model.json", "\xff", "cannot be loaded, because its model.json is not a valid header. The text is not JSON:"),
    ],
)
def test_a_zip_file_with_other_contents_is_refused(tmp_path, name, content, reason) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content.encode("latin-1"))
    assert text_of(path).startswith(f"{str(path)!r} {reason}")


def test_a_dump_truncated_at_any_length_is_refused(dump) -> None:
    whole = dump.read_bytes()
    for share in (0.02, 0.3, 0.9, 0.999):
        dump.write_bytes(whole[: int(len(whole) * share)])
        message = text_of(dump)
        assert f"is incomplete: it was cut off at {int(len(whole) * share)} bytes. Copy it or save it again." in message


def test_damaged_weights_are_detected(dump, linear_class) -> None:
    whole = bytearray(dump.read_bytes())
    place = whole.index(b"weights.safetensors") + 200
    whole[place] ^= 0xFF
    dump.write_bytes(whole)
    with pytest.raises(DumpError, match=r"is damaged: .*Save the model again"):
        linear_class().load(dump)


def test_a_dump_of_a_later_version_is_refused(dump) -> None:
    message = text_of(rewritten(dump, version=VERSION + 1))
    assert (
        f"The header is of version {VERSION + 1}, and this CardioFlow reads versions up to {VERSION}. Update" in message
    )
    for version in ("1", None, 0, True, 1.0):
        assert f"Entry 'version' is {version!r}; expected a whole number" in text_of(rewritten(dump, version=version))


VERSION_1 = {
    "format": "cardioflow-model", "version": 1, "adapter": "numpy", "model": "LinearModel", "classes": ["A", "NO"],
    "multilabel": False, "input_shape": [1, 400], "fs": 300.0, "leads": ["I"], "hist": {"train_loss": [1.5, None]},
    "preprocessing": "{}", "notes": "", "seed": 3, "weights": "weights.safetensors",
}  # fmt: skip


@pytest.mark.parametrize(("multilabel", "output"), [(False, "exclusive"), (True, "independent")])
def test_a_dump_of_version_1_loads(dump, linear, make_batch, multilabel, output) -> None:
    path = dump.with_name("old")
    with zipfile.ZipFile(dump) as archive, zipfile.ZipFile(path, "w") as old:
        old.writestr("model.json", json.dumps({**VERSION_1, "multilabel": multilabel}))
        old.writestr("weights.safetensors", archive.read("weights.safetensors"))
    header = read_header(path)
    assert (header.output, header.seed, header.thresholds) == (output, 3, {})
    assert header.hist["train_loss"][0] == 1.5
    assert np.isnan(header.hist["train_loss"][1])
    loaded = type(linear)().load(path)
    assert np.array_equal(loaded.predict_on_batch(make_batch(5)), linear.predict_on_batch(make_batch(5)))


def test_a_dump_has_the_current_version_and_reads_back_equal(dump) -> None:
    with zipfile.ZipFile(dump) as archive:
        text = archive.read("model.json")
    assert json.loads(text)["version"] == VERSION
    assert DumpHeader.from_json(text) == read_header(dump)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"classes": "A"}, "a list of at most 100 000 texts, or null"),
        ({"classes": [1]}, "a list of at most 100 000 texts"),
        ({"classes": ["x" * 1001]}, "a list of at most 100 000 texts"),
        ({"hist": [1]}, "lists of numbers by name"),
        ({"hist": {"loss": ["high"]}}, "lists of numbers by name"),
        ({"hist": {"loss": 1}}, "lists of numbers by name"),
        ({"model": 3}, "a name of at most 200 printable characters"),
        ({"model": "\x1b[31mred"}, "a name of at most 200 printable characters"),
        ({"adapter": ""}, "a name of at most 200 printable characters"),
        ({"output": "maybe"}, "one of 'exclusive', 'independent', 'value', 'states'"),
        ({"output": []}, "one of 'exclusive'"),
        ({"thresholds": {"A": 2}}, "a number from 0 to 1 for each label"),
        ({"thresholds": [0.5]}, "a number from 0 to 1 for each label"),
        ({"input_shape": [1.5]}, "a list of positive whole numbers, at most 67108864 samples, or null"),
        ({"input_shape": [0, 400]}, "a list of positive whole numbers"),
        ({"input_shape": [12, 10**9]}, "a list of positive whole numbers, at most 67108864 samples"),
        ({"fs": "fast"}, "a positive number of Hz, or null"),
        ({"fs": True}, "a positive number of Hz"),
        ({"fs": -300}, "a positive number of Hz"),
        ({"leads": {}}, "a list of at most 100 000 texts"),
        ({"preprocessing": 3}, "the text of Pipeline.to_json()"),
        ({"notes": None}, "a text of at most"),
        ({"seed": 1.0}, "a whole number"),
        ({"weights": "../secret"}, "a name such as 'weights.safetensors'"),
        ({"weights": 3}, "a name such as 'weights.safetensors'"),
    ],
)
def test_an_entry_of_another_type_is_named(dump, entry, expected) -> None:
    message = text_of(rewritten(dump, **entry))
    assert f"Entry {next(iter(entry))!r} is " in message
    assert f"; expected {expected}" in message


def test_a_threshold_of_a_label_that_the_model_lacks_is_refused(dump) -> None:
    assert "Entry 'thresholds' has the label 'B', which entry 'classes' does not list" in text_of(
        rewritten(dump, thresholds={"B": 0.5})
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"notes": ' + b"[" * 100_000, "The text nests values more than 8 levels deep"),
        (b'{"notes": [' + b"[]," * 6_000_000 + b"1]}", "The text holds more than 5000000 values"),
        (b" " * (65 * 2**20), "The text has 68157440 bytes, and at most 67108864 are read"),
        (b'{"notes": "' + b'\\"' * 1_000_000, "The text is not JSON: Unterminated string"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "The text is not JSON: Exceeds the limit"),
    ],
    ids=["deep", "many values", "long", "an endless text", "an endless number"],
)
def test_a_header_is_limited_before_it_is_parsed(text, reason) -> None:
    with pytest.raises(DumpError, match=re.escape(reason)):
        DumpHeader.from_json(text)


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


def test_a_dump_without_weights_is_refused(dump) -> None:
    assert "has no weights. Save the model again." in text_of(rewritten(dump, weights="weights.bin"))
    assert "has no weights. Save the model again." in text_of(rewritten(dump, weights=None))


def test_sizes_are_checked_against_the_file_before_anything_is_read(tmp_path) -> None:
    path = tmp_path / "bomb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.json", " " * 50_000_000)
    assert "claims 50000000 bytes of content in a file of" in text_of(path)


def test_the_dump_of_another_adapter_or_of_other_labels_is_refused(dump, linear_class) -> None:
    with pytest.raises(DumpError, match=r"holds a model of the adapter 'keras', and LinearModel is of 'numpy'\. Load"):
        linear_class().load(rewritten(dump, adapter="keras"))
    other = linear_class()
    other.classes = ("N", "V")
    with pytest.raises(DumpError, match=r"has the labels \['A', 'NO'\], and this model \['N', 'V'\]"):
        other.load(dump)


def test_an_error_names_a_path_that_is_not_writable(linear, tmp_path) -> None:
    with pytest.raises(DumpError, match=r"the folder .* does not exist\. Create it first"):
        linear.save(tmp_path / "no" / "model")
    with pytest.raises(DumpError, match=r"that is a folder\. Pass the name of a file"):
        linear.save(tmp_path)


def test_a_dump_keeps_that_records_can_have_several_labels(linear, linear_class, make_batch, tmp_path) -> None:
    linear.train_on_batch(make_batch(6, several=True))
    linear.save(tmp_path / "first")
    assert read_header(tmp_path / "first").output == "independent"
    linear_class().load(tmp_path / "first").save(tmp_path / "second")
    assert read_header(tmp_path / "second").output == "independent"


def test_an_old_dump_survives_a_disk_that_fills_up_while_the_new_one_is_written(linear, dump) -> None:
    before = dump.read_bytes()
    linear.notes = "x" * 100_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Enough for the weights alone, and too little for them and the notes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises((CardioFlowError, OSError)):
            linear.save(dump)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert dump.read_bytes() == before
    assert [p.name for p in dump.parent.iterdir()] == ["model"]


def test_weights_that_fail_to_be_written_leave_no_trace(tmp_path) -> None:
    def fails(folder: Path) -> str:
        (folder / "half").write_bytes(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        write(tmp_path / "model", DumpHeader(), fails)
    assert not list(tmp_path.iterdir())


def test_a_loaded_model_without_classes_keeps_that_records_can_have_several_labels(
    linear, linear_class, make_batch, tmp_path
) -> None:
    linear.train_on_batch(make_batch(6, several=True).replace(classes=None))
    linear.save(tmp_path / "several")
    loaded = linear_class().load(tmp_path / "several")
    assert (loaded.output, loaded.classes) == ("independent", None)
    # Rows of one label each do not make it a model of one label.
    loaded.train_on_batch(make_batch(6))
    assert loaded.output == "independent"


def test_any_rate_above_zero_is_a_rate() -> None:
    assert DumpHeader(fs=0.5).fs == 0.5
    for fs in (0, -1.0, float("inf"), True):
        with pytest.raises(DumpError, match="fs"):
            DumpHeader(fs=fs)


def test_a_loaded_model_has_the_seed_of_the_saved_one(linear_class, make_batch, tmp_path) -> None:
    model = linear_class()
    model.seed = 17
    model.build((1, 400))
    model.train_on_batch(make_batch(4))
    model.save(tmp_path / "m")
    assert linear_class().load(tmp_path / "m").seed == 17


def test_a_loaded_model_has_the_thresholds_of_the_saved_one(linear, linear_class, make_batch, tmp_path) -> None:
    linear.train_on_batch(make_batch(4))
    linear.thresholds = {linear.classes[0]: 0.3}
    linear.save(tmp_path / "m")
    assert linear_class().load(tmp_path / "m").thresholds == {linear.classes[0]: 0.3}


def test_a_dump_whose_weights_are_a_zip_file_is_incomplete_without_its_end(linear_class, tmp_path) -> None:
    """As a ``.keras`` file inside is: its own table of contents is found where that of the dump was cut off."""

    class Zipped(linear_class):
        def _write(self, folder: Path) -> str:
            with zipfile.ZipFile(folder / "weights.keras", "w") as archive:
                archive.writestr("config.json", "{}")
                archive.writestr("metadata.json", "{}")
            return "weights.keras"

    path = tmp_path / "whole"
    Zipped().build((1, 400)).save(path)
    assert read_header(path).weights == "weights.keras"
    whole = path.read_bytes()
    for n in (1, 21, 22, 50, 100):
        path.write_bytes(whole[:-n])
        with pytest.raises(DumpError, match=rf"is incomplete: it was cut off at {len(whole) - n} bytes"):
            read_header(path)
