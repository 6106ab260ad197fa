"""The folder is the registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cardioflow import registry
from cardioflow.errors import DuplicateNameError, UnknownNameError
from cardioflow.registry import Registry


def test_a_file_is_a_member_and_its_class_is_named_after_it() -> None:
    cls = registry.transforms.get("band_pass_signals")
    assert cls.__name__ == "BandPassSignals"
    assert "band_pass_signals" in registry.actions
    assert not any(name.startswith("_") or name == "base" for name in registry.actions.names())


def test_listing_imports_no_member() -> None:
    code = (
        "import sys\nfrom cardioflow import registry\n"
        "n = len(registry.actions.names()) + len(registry.formats.names())\n"
        "print(n > 40, [m for m in sys.modules if m.startswith('cardioflow.transforms.signals.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True []"


def test_an_unknown_name_answers_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no format 'dicm'\. Did you mean 'dicom'"):
        registry.formats.get("dicm")


@pytest.mark.parametrize("name", ["transforms", "steps", "formats", "models", "metrics", "losses", "calibrators"])
def test_every_member_of_a_registry_can_be_imported_and_says_what_it_is(name: str) -> None:
    found: Registry = getattr(registry, name)
    assert found.names()
    for member in found.names():
        assert found.get(member).__doc__, member


def test_two_members_of_one_name_are_an_error_that_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("one", "two"):
        (tmp_path / "twice_registered" / folder).mkdir(parents=True)
        (tmp_path / "twice_registered" / folder / "same.py").write_text("class Same: ...")
    (tmp_path / "twice_registered" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        DuplicateNameError, match=r"twice_registered\.\w+\.same:Same and twice_registered\.\w+\.same:Same"
    ):
        Registry("twice_registered", "thing").names()


def test_another_distribution_adds_members_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plugged.py").write_text("class Plugged:\n    'An action of somebody else.'\n")
    info = tmp_path / "plugged-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[cardioflow.transforms]\nplugged = plugged:Plugged\n")
    monkeypatch.syspath_prepend(tmp_path)
    actions = Registry("cardioflow.transforms", "action")
    assert actions.get("plugged").__doc__ == "An action of somebody else."
