"""Links between pages lead to files and headings that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("recipes/**/*.md"),
        *ROOT.glob("benchmarks/results/*.md"),
    ]
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def headings(page: Path) -> set[str]:
    """Return the anchors of a page, as GitHub and MyST make them."""
    found = re.findall(r"^#+ +(.+)$", CODE.sub(lambda code: code.group().strip("`"), page.read_text("utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def broken(page: Path) -> list[str]:
    """Return the relative links of ``page`` that lead nowhere."""
    found = []
    for link in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        # The index of the decisions is their README in the repository.
        missing = not target.exists() or (anchor and target.suffix == ".md" and anchor not in headings(target))
        if missing:
            found.append(link)
    return found


def test_the_pages_are_found():
    assert {"README.md", "quickstart.md", "serving.md", "train_af.md"} <= {page.name for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    assert broken(page) == []


def test_a_link_to_a_missing_page_or_heading_is_found(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# One thing\n[ok](a.md#one-thing) [no](b.md) [no](#two) `[code](c.md)` [web](https://x.org/d)\n")
    assert broken(page) == ["b.md", "#two"]
