"""The parameters of all actions follow one set of rules, and every exception has a reason."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_consistency.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("check_consistency", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_consistency"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["check_consistency"]


def test_all_actions_name_order_and_default_their_parameters_consistently():
    done = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True, check=False)
    differing = [line for line in done.stdout.splitlines() if line.startswith("differs")]
    assert (done.returncode, differing) == (0, []), done.stderr


def test_every_reason_explains_an_existing_difference(tool):
    there = {(d.rule, d.name) for d in tool.differences(tool.parameters())}
    assert set(tool.REASONS) <= there


def parameter(tool, action, name, default="required", *, position=0, annotation="float", by_keyword=False):
    return tool.Parameter(action, name, position, annotation, default, by_keyword)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ([("a", "per_lead", "False", 0, "bool")], "a(per_lead=False) is a boolean given by position."),
        ([("a", "amplitude", "1.0", 0, "float")], "a(amplitude) does not name its unit: amplitude_mv."),
        ([("a", "width_hz", "1.0", 0, "float")], "a(width_hz): Hz and samples need no ending."),
        ([("a", "siglen", "required", 0, "int")], "a(siglen) is length elsewhere."),
        ([("a", "leads", "1", 0, "int")], "a(leads) counts something: n_leads."),
        ([("a", "share", "1", 0, "float")], "a(share=1) is a float with an integer default."),
        (
            [("a", "fs", "1.0", 0, "float"), ("b", "fs", "1.0", 0, "float"), ("c", "fs", "2.0", 0, "float")],
            "fs is 1.0 by default, but c=2.0.",
        ),
        (
            [(a, xy[at], "required", at, "str") for a, xy in (("a", "xy"), ("b", "xy"), ("c", "yx")) for at in (0, 1)],
            "x stands before y, but not in c.",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_difference_is_found(tool, given, text):
    found = [parameter(tool, a, n, d, position=at, annotation=kind) for a, n, d, at, kind in given]
    assert text in [d.text for d in tool.differences(found)]


def test_a_measuring_action_without_a_component_of_its_own_is_found(tool):
    found = [p for p in tool.parameters() if (p.action, p.name) != ("signal_quality", "dst")]
    texts = [d.text for d in tool.differences(found)]
    assert "signal_quality does not write to a component dst with a name of its own." in texts
