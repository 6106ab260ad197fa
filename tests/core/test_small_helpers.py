"""What other parts build on: limits on JSON, groups of rows, writable places, optional packages, former names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from cardioflow.core.former_names import former_call, former_table, where_now
from cardioflow.core.limited_json import parse_limited
from cardioflow.core.optional import needed
from cardioflow.core.row_groups import rows_by_group
from cardioflow.core.writable import why_not_writable
from cardioflow.errors import FormatError, InputError, MissingDependencyError


def parsed(text: str | bytes, **limits: int):
    data = text.encode() if isinstance(text, str) else text
    return parse_limited(data, **{"max_bytes": 1000, "max_values": 20, "max_depth": 4, **limits})


@pytest.mark.parametrize(
    "value",
    [{}, [], 3, "x", None, {"a": [1, {"b": "c,d]}"}]}, "[[[[[[[[", 'a "quoted" [ text', "\\", ["\\", '\\"[['], "ü心"],
)
def test_a_text_within_its_limits_is_its_value(value) -> None:
    assert parsed(json.dumps(value)) == value
    assert parsed(json.dumps(value, ensure_ascii=False)) == value


@pytest.mark.parametrize(
    ("text", "limits", "message"),
    [
        ("[[[[1]]]]", {}, None),
        ("[[[[[1]]]]]", {}, "nests values more than 4 levels deep"),
        ('[{"a":[{"b":[]}]}]', {}, "nests values more than 4 levels deep"),
        ("[" + ",".join(["1"] * 20) + "]", {}, None),
        ("[" + ",".join(["1"] * 21) + "]", {}, "holds more than 20 values"),
        ("[[],[],[],[],[]]", {"max_values": 9}, "holds more than 9 values"),
        ("1" * 1001, {}, "has 1001 bytes, and at most 1000 are read"),
        ('"' + "[" * 900 + '"', {}, None),
        ('"' + "," * 900 + '"', {}, None),
        ("[" * 900, {"max_depth": 5}, "nests values more than 5 levels deep"),
    ],
    ids=[
        "4 deep",
        "5 deep",
        "objects count",
        "20 values",
        "21 values",
        "empty lists",
        "long",
        "text",
        "commas",
        "open",
    ],
)
def test_depth_values_and_bytes_are_counted_outside_of_texts(text, limits, message) -> None:
    if message is None:
        assert parsed(text, **limits) == json.loads(text)
        return
    with pytest.raises(FormatError, match=message):
        parsed(text, **limits)


@pytest.mark.parametrize("text", ["", "{", '{"a": }', "[1,]", '"', b"\xff\xfe\x00", "nul", "{'a': 1}"])
def test_what_is_not_json_is_one_error_of_ours(text) -> None:
    with pytest.raises(FormatError, match="The text is not JSON"):
        parsed(text)


@pytest.mark.parametrize("text", ['"' + "\\" * 50_000, '"' * 100_000, "[" + '"a",' * 50_000])
def test_a_long_text_that_is_never_closed_is_read_once_and_refused(text) -> None:
    with pytest.raises(FormatError):
        parsed(text, max_bytes=10**6, max_values=10**6)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (None, [[0], [1], [2], [3]]),
        (["b", "a", "b", "a"], [[1, 3], [0, 2]]),
        ([2, 10, 2, 1], [[3], [0, 2], [1]]),
        (["x", "x", "x", "x"], [[0, 1, 2, 3]]),
        (np.array([3, 1, 2, 0]), [[3], [1], [2], [0]]),
    ],
)
def test_rows_of_a_group_keep_their_order_and_groups_are_sorted(groups, expected) -> None:
    assert [own.tolist() for own in rows_by_group(4, groups)] == expected


def test_there_is_one_group_for_each_row() -> None:
    assert [own.tolist() for own in rows_by_group(0, None)] == []
    with pytest.raises(InputError, match=r"records has 3 entries for 4 rows"):
        rows_by_group(4, ["a", "b", "c"])


def test_a_place_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    held = tmp_path / "there.txt"
    held.write_text("x", encoding="utf-8")
    assert why_not_writable(tmp_path / "new.txt") is None
    assert why_not_writable(held) is None
    assert held.read_text(encoding="utf-8") == "x"
    assert why_not_writable(tmp_path) == "it is a folder. Pass the name of a file"
    assert why_not_writable(tmp_path / "no" / "x") == f"there is no folder {str(tmp_path / 'no')!r}. Make it first"
    assert why_not_writable(held / "x") == f"there is no folder {str(held)!r}. Make it first"
    assert not (tmp_path / "new.txt").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_without_permission_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert why_not_writable(tmp_path / "x") == "you may not write there. Change its permissions, or pass another path"


def test_a_package_that_is_missing_is_named_with_its_extra() -> None:
    assert needed("json", extra="x") is json
    with pytest.raises(MissingDependencyError) as caught:
        needed("no_such_package.part", extra="onnx")
    assert str(caught.value) == (
        "no_such_package is not installed, and this needs it. Install it: pip install 'cardioflow[onnx]'."
    )


def test_a_package_that_lacks_another_one_keeps_its_own_error(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "half_a_package.py").write_text("import another_that_is_not_there\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="another_that_is_not_there") as caught:
        needed("half_a_package", extra="x")
    assert not isinstance(caught.value, MissingDependencyError)


@pytest.mark.parametrize(
    ("owner", "name", "text"),
    [
        (
            "pipeline",
            "get_variable",
            (
                "The run has 'get_variable', not the pipeline. Keep what run() returns: "
                "run = (dataset >> pipeline).run(batch_size=…); run.get_variable('name')."
            ),
        ),
        ("pipeline", "train_model", "CardIO's 'train_model' is now train_on_batch('name')."),
        ("batch", "indices", "CardIO's 'indices' is now ids."),
        ("dataset", "indices", "CardIO's 'indices' is now dataset.ids."),
        ("batch", "run", "A pipeline has 'run', and a batch does not: pipeline.run."),
        ("dataset", "signal", "A batch has 'signal', and a data set does not: batch.signal."),
        ("pipeline", "split", "A data set has 'split', and a pipeline does not: dataset.split."),
        ("batch", "FilesIndex", "CardIO's 'FilesIndex' is now cardioflow.EcgDataset('records/*.hea')."),
        ("module", "nothing_of_the_kind", ""),
    ],
)
def test_a_former_name_or_one_of_another_object_says_where_it_is_now(owner, name, text) -> None:
    assert where_now(owner, name) == text


@pytest.mark.parametrize("owner", ["pipeline", "batch", "dataset", "module"])
def test_no_former_name_is_a_name_of_today_on_its_own_object(owner) -> None:
    import cardioflow

    objects = {
        "pipeline": cardioflow.Pipeline,
        "batch": cardioflow.EcgBatch,
        "dataset": cardioflow.EcgDataset,
        "module": cardioflow,
    }
    there = set(dir(objects[owner]))
    assert not [name for name in former_table(owner) if name in there]


def test_a_model_declared_as_cardio_did_says_how_it_is_done_now() -> None:
    assert "@cardioflow.model" in former_call("init_model", ("dynamic", dict))
    assert former_call("init_model", ("m", {"path": "x"})) == ""
    assert former_call("load_model", ("dynamic", dict)) == ""
