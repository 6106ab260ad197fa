"""The fragments in ``changelog.d`` can be joined to a chapter of the changelog."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRAGMENTS = sorted(path for path in (ROOT / "changelog.d").glob("*.md") if path.name != "README.md")
NAME = re.compile(r"(\d+\.(feature|bugfix|doc|removal|misc)(\.\d+)?|\+\w+\.(feature|bugfix|doc|removal|misc))\.md")


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_fragment_has_a_valid_name_and_one_line(path: Path) -> None:
    assert NAME.fullmatch(path.name), f"{path.name}: see changelog.d/README.md for the pattern."
    assert re.fullmatch(r"\S.*[.]\n", path.read_text(encoding="utf-8")), (
        f"{path.name} is not one line with a full stop."
    )


def test_towncrier_builds_a_draft_with_every_sentence() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.0.0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    missing = [path.name for path in FRAGMENTS if path.read_text(encoding="utf-8").strip() not in done.stdout]
    assert missing == [name for name in missing if ".misc." in name]
