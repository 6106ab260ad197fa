"""Every known fault can still be put back, and the tests that must notice it are there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
SOURCE = TOOLS.parent / "src" / "cardioflow"


SPEC = importlib.util.spec_from_file_location("check_known_bugs", TOOLS / "check_known_bugs.py")
tool = sys.modules[SPEC.name] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)
BUGS = tool.known_bugs()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_known_fault_can_be_put_back_and_its_tests_exist(bug):
    right = (SOURCE / bug.file).read_text(encoding="utf-8")
    wrong = tool.changed(bug, right)
    assert wrong != right
    compile(wrong, bug.file, "exec")
    assert bug.tests
    assert tool.missing_tests(bug) == []


def test_every_fault_has_a_unique_name():
    names = [bug.name for bug in BUGS]
    assert len(set(names)) == len(names)


def test_a_text_that_does_not_occur_exactly_once_is_refused():
    bug = BUGS[0]
    with pytest.raises(ValueError, match=r"0 times, and once was expected"):
        tool.changed(bug, "")
    with pytest.raises(ValueError, match=r"2 times, and once was expected"):
        tool.changed(bug, bug.old * 2)


def test_a_test_that_does_not_exist_is_listed():
    bug = tool.KnownBug("x", "errors.py", "a", "b", ("io/test_packed.py::test_nothing", "no/such_file.py::test_it"))
    assert tool.missing_tests(bug) == ["io/test_packed.py::test_nothing", "no/such_file.py::test_it"]


def test_a_fault_is_caught_by_its_own_tests_and_then_reverted(tmp_path):
    folder = tmp_path / "cardioflow" / "core"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("")
    text = (SOURCE / "core" / "printable.py").read_text(encoding="utf-8")
    (folder / "printable.py").write_text(text)
    test = "core/test_printable.py"
    bug = tool.KnownBug("all is escaped", "core/printable.py", "c if c.isprintable() else ", "", (test,))
    assert tool.unnoticed(bug, tmp_path) == []
    harmless = tool.KnownBug("nothing", "core/printable.py", "(text: str) -> str:", "(text: str) -> str:  # !", (test,))
    assert tool.unnoticed(harmless, tmp_path) == [test]
    assert (folder / "printable.py").read_text() == text
