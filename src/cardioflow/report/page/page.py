"""The report on a record as one page, without a request to the network."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from functools import lru_cache
from html import escape
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Final

from cardioflow.report.page import sections
from cardioflow.report.page.drawings import drawings_of
from cardioflow.report.page.examination import Examination
from cardioflow.report.page.html import facts, section
from cardioflow.report.page.texts import Texts

__all__ = ["page_of", "script_source", "whole_page"]

_TOOLS: Final = ("zoom_in", "zoom_out", "true_size", "calipers", "off", "reading")
_SECTIONS: Final = ("ecg", "measurements", "rhythm", "quality", "notes")


def page_of(seen: Examination, texts: Texts | None = None, *, index: str | None = None) -> str:
    """Return the page of a record, complete in itself: style, script and drawings are inside.

    Args:
        seen: what ``examine`` returns.
        texts: its texts; English by default.
        index: the address of the page that lists all reports, if there is one.
    """
    texts = texts or Texts.english()
    links = "".join(f'<li><a href="#{name}">{escape(texts(f"{name}.heading"))}</a></li>' for name in _SECTIONS)
    back = f'<li><a href="{escape(index)}">{escape(texts("page.back"))}</a></li>' if index else ""
    title = texts("page.title", name=seen.path.stem)
    drawings = drawings_of(seen, texts)
    body = [
        f'<a class="skip" href="#ecg">{escape(texts("page.skip"))}</a><header><h1>{escape(title)}</h1>',
        f'<nav aria-label="{escape(texts("page.sections"))}"><ul>{back}{links}</ul></nav></header><main>',
        section("facts", texts("header.facts"), facts(sections.header_facts(seen, texts))),
        section("summary", texts("page.summary"), facts(sections.summary(seen, texts))),
        f'<p class="note">{escape(texts("page.not_a_device"))}</p>',
        _tools(texts),
        sections.ecg(drawings, seen, texts),
        sections.measurements(seen, texts),
        sections.rhythm(seen, texts),
        sections.quality(seen, texts),
        sections.notes(seen, texts),
        "</main>",
    ]
    return whole_page(title, "".join(body), texts, script=True)


def whole_page(title: str, body: str, texts: Texts, *, script: bool) -> str:
    """Return an HTML document that may load nothing, and run no script but its own."""
    style, code = _resource("style.css"), _resource("page.js")
    allowed = script_source() if script else "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}"
    made = texts("page.made", version=_version(), date=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(texts("page.lang"))}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{style}</style></head><body>{body}'
        f"<footer><p>{escape(made)}</p></footer>{f'<script>{code}</script>' if script else ''}</body></html>\n"
    )


def script_source() -> str:
    """Return how a content security policy names the only script of a report: by its hash."""
    digest = base64.b64encode(hashlib.sha256(_resource("page.js").encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _tools(texts: Texts) -> str:
    """Return the bar that the script fills, and what a reader without scripts is told."""
    told = json.dumps({key: texts(f"tools.{key}") for key in _TOOLS}, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<div id="tools" class="tools" role="toolbar" aria-label="{escape(texts("tools.heading"))}" hidden>'
        f'<p class="help" hidden>{escape(texts("tools.help"))}</p>'
        '<output class="reading" aria-live="polite"></output></div>'
        f'<script type="application/json" id="texts">{told}</script>'
        f'<noscript><p class="screen">{escape(texts("page.no_script"))}</p></noscript>'
    )


@lru_cache(maxsize=4)
def _resource(name: str) -> str:
    return (files("cardioflow.report.page") / name).read_text("utf-8")


def _version() -> str:
    try:
        return version("cardioflow")
    except PackageNotFoundError:
        return "of the source tree"
