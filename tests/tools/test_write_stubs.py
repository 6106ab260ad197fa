from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cardioflow.registry import actions
from cardioflow.transforms.base import Transform

TOOL = Path(__file__).parents[2] / "tools" / "write_stubs.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("write_stubs", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules["write_stubs"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["write_stubs"]


@pytest.fixture(scope="module")
def texts(tool):
    return {stub.class_name: tool.render(stub) for stub in tool.STUBS}


@dataclass(frozen=True)
class Example(Transform):
    """Do nothing at all.

    And say so at length.
    """

    low: float
    names: Mapping[str, Path] = field(default_factory=dict)
    how: str = "well"

    def apply(self, batch):
        return batch


def methods(text):
    (cls,) = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    return {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef)}


def test_the_stubs_are_current():
    done = subprocess.run([sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_action_is_a_method_of_a_pipeline_and_returns_its_own_class(texts):
    found = methods(texts["PipelineActions"])
    assert sorted(found) == sorted(actions.names())
    assert {ast.unparse(method.returns) for method in found.values()} == {"Self"}


def test_a_batch_has_the_actions_that_need_no_run(texts):
    found = methods(texts["BatchActions"])
    assert {"load", "standardize", "random_split_signals"} <= set(found)
    assert not {"train_on_batch", "rebatch", "init_variable"} & set(found)


def test_every_method_has_the_summary_of_its_action(texts):
    for name, method in methods(texts["PipelineActions"]).items():
        assert ast.get_docstring(method), name


def test_stubs_are_deterministic(tool, texts):
    assert {stub.class_name: tool.render(stub) for stub in tool.STUBS} == texts


def test_a_signature_has_the_fields_their_defaults_and_the_imports_it_needs(tool):
    signature, needed = tool.method_signature(Example, lambda annotation: annotation)
    assert signature == "self, low: float, names: Mapping[str, Path] = ..., how: str = 'well'"
    assert needed == {("collections.abc", "Mapping"), ("pathlib", "Path")}


def test_a_summary_is_the_first_paragraph(tool):
    assert tool.summary_of(Example) == "Do nothing at all."


def test_an_action_without_a_docstring_stops_the_tool(tool):
    class Silent(Transform):
        pass

    Silent.__doc__ = None
    with pytest.raises(SystemExit, match=r"Silent has no docstring, which the stub needs\. Write one\."):
        tool.summary_of(Silent)


def test_check_names_an_outdated_stub_and_writes_nothing(tool, tmp_path, monkeypatch, capsys):
    for stub in tool.STUBS:
        (tmp_path / stub.path).parent.mkdir(parents=True)
        (tmp_path / stub.path).write_text(tool.render(stub))
    stale = tmp_path / tool.STUBS[0].path
    stale.write_text("# old\n")
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["write_stubs.py", "--check"])
    with pytest.raises(SystemExit) as caught:
        tool.main()
    assert "Not current: cardioflow/batch/_fluent.pyi. Run `make stub`" in str(caught.value)
    assert stale.read_text() == "# old\n"
