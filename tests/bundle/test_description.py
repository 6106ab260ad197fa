"""A bundle's description: what it may hold, and how what it may not hold is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cardioflow import Pipeline
from cardioflow.bundle import BundleCard, BundleDescription, DataSource, Limits, MemberDescription, Score
from cardioflow.errors import DumpError

WHOLE = BundleDescription(
    name="af",
    release="1.2",
    title="Rhythm of one lead",
    classes=("N", "A"),
    meanings={"A": "atrial fibrillation"},
    leads=("I",),
    substitutes={"I": ("II", "MLII")},
    fs=300.0,
    members=(
        MemberDescription.of("net", Pipeline().load().resample_signals(300), onnx="net.onnx", activation="softmax"),
        MemberDescription.of("trees", Pipeline().standardize(), onnx="trees.onnx", weight=0.5, component="features"),
    ),
    thresholds={"A": 0.4},
    thresholds_chosen="largest F1 on folds 0-3",
    limits=Limits(shortest_s=9, most_flat=0.5, pacing="abstain"),
    card=BundleCard(
        not_for=("children",),
        data=(DataSource(name="CinC 2017", part="folds 0-3", n_records=6824, fingerprint="ab12"),),
        scores=(Score(metric="F1", label="A", group="women", value=0.8, low=0.75, high=0.85, n=100),),
    ),
)


def test_a_description_is_read_as_it_was_written() -> None:
    assert BundleDescription.from_json(WHOLE.to_json().encode()) == WHOLE
    minimal = BundleDescription(name="beats", output="beats", method="beats")
    assert BundleDescription.from_json(minimal.to_json().encode()) == minimal


def test_the_preparation_of_a_member_is_an_object_without_the_steps_that_read() -> None:
    steps = json.loads(WHOLE.to_json())["members"][0]["preparation"]["steps"]
    assert [step["name"] for step in steps] == ["resample_signals"]


def changed(path: tuple[Any, ...], value: Any) -> bytes:
    """Return the text of ``WHOLE`` with another value at ``path``; ``...`` removes the entry."""
    found = json.loads(WHOLE.to_json())
    place = found
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(found).encode()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 2, r"It is of version 2, and this CardioFlow reads version 1\. Update CardioFlow"),
        (("version",), 0, r"It is of version 0, and this CardioFlow reads version 1\. Make the bundle again"),
        (("version",), True, r"It is of version True"),
        (("format",), "zip", r'whose entry "format" is "cardioflow-bundle"'),
        (("name",), ..., r"Entry 'name' is missing"),
        (("name",), "../af", r"Entry 'name' is '\.\./af'; expected a name of at most 64 letters"),
        (("colour",), 1, r"Entry 'colour' is not known"),
        (("treshold",), {}, r"Entry 'treshold' is not known\. Did you mean 'thresholds'"),
        (("thresholds",), {"A": 1.5}, r"Entry 'thresholds' is \{'A': 1\.5\}; expected a number from 0 to 1"),
        (("thresholds",), {"VT": 0.5}, r"Entry 'thresholds' has the label 'VT', which entry 'classes' does not list"),
        (("classes",), ["A", "A"], r"Entry 'classes' is .*; expected a list of different texts"),
        (("output",), "guess", r"Entry 'output' is 'guess'; expected one of 'exclusive'"),
        (("limits", "shortest_s"), -1, r"Entry 'limits\.shortest_s' is -1; expected a number above 0"),
        (("limits", "pacing"), "maybe", r"Entry 'limits\.pacing' is 'maybe'; expected 'judge' or 'abstain'"),
        (("members", 1, "weight"), -1, r"Entry 'members\[1\]\.weight' is -1; expected a number from 0 on"),
        (("members", 0, "onnx"), "../net.onnx", r"Entry 'members\[0\]\.onnx' is '\.\./net\.onnx'; expected the name"),
        (("members", 0, "onnx"), None, r"Entry 'members\[0\]\.onnx' and entry 'dump' of member 'net' are both missing"),
        (("members", 1, "name"), "net", r"two members of one name among net, net"),
        (("members",), [], r"has members or a method, and this one has neither"),
        (("method",), "beats", r"has members or a method, and this one has both"),
        (("card", "scores", 0, "value"), "high", r"Entry 'card\.scores\[0\]\.value' is 'high'; expected a number"),
        (("card", "data", 0), 3, r"Entry 'card\.data\[0\]' is 3; expected an object"),
        (("fs",), float("inf"), r"Entry 'fs' is inf; expected a positive number of Hz"),
    ],
)
def test_what_a_description_may_not_hold_is_refused_by_name(path: tuple[Any, ...], value: Any, message: str) -> None:
    with pytest.raises(DumpError, match=message):
        BundleDescription.from_json(changed(path, value))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"format": "cardioflow-bundle"', b"[" * 100_000])
def test_a_text_that_is_not_a_description_is_refused(text: bytes) -> None:
    with pytest.raises(DumpError):
        BundleDescription.from_json(text)
