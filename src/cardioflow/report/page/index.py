"""The page that lists all reports of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from cardioflow.report.page.html import table
from cardioflow.report.page.page import whole_page
from cardioflow.report.page.texts import Texts

__all__ = ["Entry", "Failure", "index_page"]


class Entry(NamedTuple):
    """A line of the index."""

    file: str
    page: str
    """The name of its page, beside the index."""
    leads: str
    duration: str
    heart_rate: str
    qrs: str
    qtc: str
    rhythm: str
    outside: str


class Failure(NamedTuple):
    """A file that could not be read, and why."""

    file: str
    reason: str


def index_page(entries: Sequence[Entry], failures: Sequence[Failure], texts: Texts | None = None) -> str:
    """Return the page."""
    texts = texts or Texts.english()
    keys = ("file", "leads", "duration", "rate", "qrs", "qtc", "rhythm", "notes")
    head = "".join(f'<th scope="col">{escape(texts(f"index.{key}"))}</th>' for key in keys)
    rows = "".join(_row(entry) for entry in entries)
    caption = escape(texts("index.caption", n=len(entries)))
    body = (
        f'<header><h1>{escape(texts("index.heading"))}</h1></header><main><div class="wide" tabindex="0" role="region" '
        f'aria-label="{caption}"><table class="list"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    if failures:
        lost = table(texts("index.failed"), [texts("index.file"), texts("index.reason")], failures)
        # The table is a region of the same name; a landmark of two levels would be read out twice.
        body += f'<section id="failed"><h2>{escape(texts("index.failed"))}</h2>{lost}</section>'
    return whole_page(texts("index.title"), f"{body}</main>", texts, script=False)


def _row(entry: Entry) -> str:
    file, page, *rest = entry
    kinds = ["text"] * (len(rest) - 2) + ["text wide-text"] * 2
    cells = "".join(f'<td class="{kind}">{escape(text)}</td>' for kind, text in zip(kinds, rest, strict=True))
    return f'<tr><th scope="row"><a href="{quote(page)}">{escape(file)}</a></th>{cells}</tr>'
