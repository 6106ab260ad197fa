"""What is asked before the work begins: whether a package is there, and whether the result can be written."""

from __future__ import annotations

import os
import sys

import pytest

from cardioflow.core.optional import needed
from cardioflow.core.writable import why_not_writable
from cardioflow.errors import MissingDependencyError


def test_a_module_that_is_installed_is_returned():
    assert needed("json", extra="any") is sys.modules["json"]
    assert needed("os.path", extra="any") is os.path


@pytest.mark.parametrize("module", ["no_such_package_of_anyone", "no_such_package_of_anyone.inner"])
def test_a_package_that_is_not_names_the_command_that_installs_it(module):
    with pytest.raises(MissingDependencyError) as caught:
        needed(module, extra="ray")
    assert str(caught.value) == (
        "no_such_package_of_anyone is not installed, and this needs it. Install it: pip install 'cardioflow[ray]'."
    )


def test_a_package_that_lacks_another_one_says_so_itself(tmp_path, monkeypatch):
    (tmp_path / "package_with_a_fault.py").write_text("import something_that_it_lacks")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_that_it_lacks") as caught:
        needed("package_with_a_fault", extra="ray")
    assert not isinstance(caught.value, MissingDependencyError)


def test_a_file_that_can_be_written_needs_no_word(tmp_path):
    assert why_not_writable(tmp_path / "new.csv") is None
    (tmp_path / "old.csv").write_text("x")
    assert why_not_writable(tmp_path / "old.csv") is None


def test_what_cannot_be_written_says_why_and_what_to_do(tmp_path):
    assert why_not_writable(tmp_path) == "it is a folder. Pass the name of a file"
    said = why_not_writable(tmp_path / "missing" / "a.csv")
    assert said == f"there is no folder {str(tmp_path / 'missing')!r}. Make it first"
    file = tmp_path / "a.csv"
    file.write_text("x")
    assert "there is no folder" in str(why_not_writable(file / "b.csv")), "a file is not a folder"


def test_a_folder_without_permission_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the superuser may write anywhere
    assert why_not_writable(tmp_path / "a.csv") == (
        "you may not write there. Change its permissions, or pass another path"
    )
