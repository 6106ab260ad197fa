"""Entries of a recipe: each of another kind is refused by its place, with what came and what was expected."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from cardioflow.errors import ConfigError
from cardioflow.recipe import read_recipe

MEMBER = {"name": "trees", "model": "features_gbm", "prepare": [{"calc_features": [["rhythm"]]}]}
WHOLE: dict[str, Any] = {
    "cardioflow_recipe": 1,
    "name": "small",
    "data": {"table": "t.csv", "classes": ["A", "N"], "train": [0, 1], "test": [2]},
    "members": [MEMBER],
}


def read(folder: Path, raw: Any):
    path = folder / "r.yaml"
    path.write_text(yaml.safe_dump(raw))
    return read_recipe(path)


def changed(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    found = copy.deepcopy(WHOLE)
    inner: Any = found
    for key in place[:-1]:
        inner = inner.setdefault(key, {}) if isinstance(inner, dict) else inner[key]
    if isinstance(inner, list) and place[-1] == len(inner):
        inner.append(value)
    else:
        inner[place[-1]] = value
    return found


def test_what_a_recipe_does_not_say_has_the_documented_default(tmp_path):
    recipe = read(tmp_path, WHOLE)
    assert (recipe.release, recipe.calibration, recipe.coverage, recipe.weights) == ("1", "vector_scaling", 0.9, None)
    assert (recipe.leads, recipe.limits.pacing, recipe.limits.shortest_s) == ("any", "judge", None)
    data, (member,) = recipe.data, recipe.members
    assert (data.files, data.record, data.label, data.fold, data.renamed) == (
        *("{record}.hea", "record", "label", "fold", {}),
    )
    assert (data.classes, data.train, data.test) == (("A", "N"), (0, 1), (2,))
    assert (member.epochs, member.batch_size, member.seed, member.evaluate_every) == (1, 64, 0, 0)
    assert (member.component, member.activation, member.stored, member.ensemble) == ("signal", "none", "float32", True)
    assert member.prepare == ({"calc_features": (("rhythm",),)},)


DATA, FIRST = ("data",), ("members", 0)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ((*DATA, "classes"), ["A"], "'data.classes' is ('A',); expected a list of at least two labels"),
        ((*DATA, "classes"), ["A", "A"], "expected a list of at least two labels"),
        ((*DATA, "classes"), "AN", "'data.classes' is 'AN'; expected a list"),
        ((*DATA, "train"), [0], "'data.train' is (0,); expected a list of at least two different folds"),
        ((*DATA, "train"), [0, 0], "expected a list of at least two different folds"),
        ((*DATA, "train"), [0, -1], "expected a list of at least two different folds"),
        ((*DATA, "train"), [0, True], "expected a list of at least two different folds"),
        ((*DATA, "train"), ["0", "1"], "expected a list of at least two different folds"),
        ((*DATA, "test"), [1, 2], "'data.test' is (1, 2); expected folds that are not trained on"),
        ((*DATA, "test"), 2, "'data.test' is 2; expected folds"),
        ((*DATA, "table"), 3, "'data.table' is 3; expected a text"),
        ((*DATA, "fmt"), "../wfdb", "'data.fmt' is '../wfdb'; expected the name of a format, or null"),
        ((*DATA, "files"), "records.hea", "'data.files' is 'records.hea'; expected a text with {record}"),
        ((*DATA, "files"), "{name}.hea", "'data.files' is '{name}.hea'; expected a text with {record}"),
        ((*DATA, "files"), "{record.__class__}", "expected a text with {record}"),
        ((*DATA, "files"), "{record", "expected a text with {record}"),
        ((*DATA, "renamed"), {"O": "M"}, "'data.renamed' is {'O': 'M'}; expected one of the classes for each label"),
        ((*DATA, "renamed"), ["O"], "expected one of the classes for each label"),
        ((*DATA, "clases"), ["A", "N"], "'data.clases' is not known. Did you mean 'classes'"),
        ((*FIRST, "batch_size"), 0, "'members[0].batch_size' is 0; expected a whole number above 0"),
        ((*FIRST, "batch_size"), 8.0, "'members[0].batch_size' is 8.0; expected a whole number above 0"),
        ((*FIRST, "epochs"), True, "'members[0].epochs' is True; expected a whole number above 0"),
        ((*FIRST, "seed"), -1, "'members[0].seed' is -1; expected a whole number"),
        ((*FIRST, "evaluate_every"), None, "'members[0].evaluate_every' is None; expected a whole number"),
        ((*FIRST, "weight_average"), 1, "'members[0].weight_average' is 1; expected a number between 0 and 1, or null"),
        ((*FIRST, "learning_rate"), 0.1, "'members[0].learning_rate' is 0.1; expected one of constant, cosine, one_c"),
        ((*FIRST, "learning_rate"), {"linear": 0.1}, "expected one of constant, cosine, one_cycle with its highest"),
        ((*FIRST, "learning_rate"), {"cosine": 0}, "expected one of constant, cosine, one_cycle with its highest"),
        ((*FIRST, "learning_rate"), {"cosine": 1, "constant": 1}, "expected one of constant, cosine, one_cycle"),
        ((*FIRST, "activation"), "relu", "'members[0].activation' is 'relu'; expected 'none', 'softmax' or 'sigmoid'"),
        ((*FIRST, "stored"), "int4", "'members[0].stored' is 'int4'; expected one of float32, float16, int8, dump"),
        ((*FIRST, "ensemble"), 1, "'members[0].ensemble' is 1; expected true or false"),
        ((*FIRST, "prepare"), "standardize", "'members[0].prepare' is 'standardize'; expected a list of steps"),
        ((*FIRST, "prepare"), [3], "'members[0].prepare' is (3,); expected a list of steps"),
        ((*FIRST, "config"), [1], "'members[0].config' is (1,); expected an object"),
        ((*FIRST, "name"), "a/b", "'members[0].name' is 'a/b'; expected a name"),
        (("members", 1), MEMBER, "'members' has two members of one name among trees, trees"),
        (("members",), {"trees": MEMBER}, "'members' is a dict; expected a list of members"),
        (("calibration",), "platt", "'calibration' is 'platt'; expected one of none, temperature_scaling, vector_scal"),
        (("coverage",), 90, "'coverage' is 90; expected a number between 0 and 1, or null"),
        (("coverage",), 1, "'coverage' is 1; expected a number between 0 and 1, or null"),
        (("weights",), {"trees": -1}, "'weights' is {'trees': -1}; expected a number from 0 on for each member"),
        (("weights",), {"trees": 0}, "'weights' is {'trees': 0}; expected a number from 0 on for each member"),
        (("weights",), {"trees": 1, "net": 1}, "expected a number from 0 on for each member"),
        (("metric_labels",), ["AF"], "'metric_labels' is ('AF',); expected some of A, N"),
        (("leads",), [], "'leads' is (); expected a list of names, or 'any'"),
        (("leads",), "I", "'leads' is 'I'; expected a list of names, or 'any'"),
        (("substitutes",), {"I": "II"}, "'substitutes' is {'I': 'II'}; expected a list of names for each lead"),
        (("meanings",), {"A": 1}, "'meanings' is {'A': 1}; expected a text for each"),
        (("release",), 1.0, "'release' is 1.0; expected a name such as '1.0'"),
        (("limits", "most_flat"), 2, "'limits.most_flat' is 2; expected a number from 0 to 1, or null"),
        (("limits", "pacing"), "warn", "'limits.pacing' is 'warn'; expected 'judge' or 'abstain'"),
        (("limits", "other_channels"), True, "'limits.other_channels' is True; expected 'judge' or 'abstain'"),
        (("card", "not_for"), "children", "'card.not_for' is 'children'; expected a list of texts"),
        (("card", "data"), [{"part": "all"}], "'card.data[0].name' is missing"),
    ],
)
def test_an_entry_of_another_kind_is_refused_with_its_place(tmp_path, place, value, message):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, changed(place, value))
    assert message in str(caught.value)
    assert str(tmp_path / "r.yaml") in str(caught.value)


@pytest.mark.parametrize("entry", ["name", "data", "members"])
def test_an_entry_that_every_recipe_needs_is_named(tmp_path, entry):
    raw = {key: value for key, value in WHOLE.items() if key != entry}
    with pytest.raises(ConfigError, match=f"Entry '{entry}' is missing"):
        read(tmp_path, raw)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n- b\n", "holds a list; expected entries such as 'name:'"),
        (b"", "holds a NoneType; expected entries"),
        (b"a: [1\n", "is not valid YAML"),
        (b"a: \x00\n", "is not valid YAML"),
        (b"\xff\xfe\xff", "is not valid YAML"),
        (b"cardioflow_recipe: '1'\n", "is not a recipe of version 1. Begin the file with 'cardioflow_recipe: 1'"),
        (b"cardioflow_recipe: true\n", "is not a recipe of version 1. Begin the file"),
        (b"#" * (2**20 + 1), "has 1048577 bytes; at most 1048576 are read"),
    ],
    ids=["list", "empty", "open", "nul", "binary", "text", "bool", "large"],
)
def test_a_file_that_is_not_a_recipe_is_refused(tmp_path, content, message):
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_recipe(path)
    assert message in str(caught.value)


def test_weights_may_be_zero_for_a_member_that_is_kept_out(tmp_path):
    raw = changed(("members", 1), {**MEMBER, "name": "others"})
    raw["weights"] = {"trees": 2, "others": 0}
    assert dict(read(tmp_path, raw).weights) == {"trees": 2, "others": 0}
