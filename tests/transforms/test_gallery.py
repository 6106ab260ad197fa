"""The gallery shows every action."""

from __future__ import annotations

import re
from pathlib import Path

from cardioflow.registry import transforms

DOCS = Path(__file__).parents[2] / "docs"


def test_every_action_has_an_entry_and_a_picture_in_the_gallery():
    page = (DOCS / "actions.md").read_text()
    assert sorted(re.findall(r"^### `(\w+)`$", page, flags=re.MULTILINE)) == list(transforms.names())
    shown = set(re.findall(r"images/actions/(\w+\.png)", page))
    assert shown == {p.name for p in (DOCS / "images" / "actions").glob("*.png")}
