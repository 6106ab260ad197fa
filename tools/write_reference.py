"""Write the generated pages of the documentation, the list of all members and that of old names, and its figures.

``python tools/write_reference.py`` writes them; ``--check`` only checks whether they are current.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from cardioflow import registry
from cardioflow.core.former_names import Owner, former_table
from cardioflow.dsp.simulate import SIMULATED_LEADS, simulate_ecg
from cardioflow.report.ecg_paper import Strip, record_panel, save_figure
from cardioflow.report.plot_ecg import plot_ecg
from write_stubs import method_signature, own_actions, summary_of

DOCS = Path(__file__).resolve().parent.parent / "docs"


def reference() -> str:
    """Return the text of the reference."""
    return "\n".join(
        [
            "# All members at a glance",
            "",
            "Every member of every registry, in one line each. This file is written by `make reference`.",
            "",
            "## Actions",
            "",
            "Methods of a pipeline; those that need no run are methods of a batch, too.",
            "",
            *_actions(),
            *_registry("Formats", registry.formats),
            *_registry("Models", registry.models),
            *_registry("Metrics", registry.metrics),
            *_registry("Callbacks", registry.callbacks),
        ]
    )


def _actions() -> Iterator[str]:
    for name, action in own_actions():
        signature, _ = method_signature(action, lambda annotation: annotation)
        given = signature.removeprefix("self").removeprefix(", ")
        yield f"- **`{name}`**`({given})`<br>{one_line(summary_of(action))}"
    yield ""


def _registry(title: str, members: registry.Registry) -> Iterator[str]:
    yield from (f"## {title}", "")
    for name, place in members.locations().items():
        if place.startswith("cardioflow."):
            yield f"- **`{name}`**  {one_line(inspect.getdoc(members.get(name)) or '')}"
    yield ""


def one_line(text: str) -> str:
    """Return the first paragraph of ``text`` as one line."""
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


def draw() -> None:
    """Draw the figures of the documentation."""
    images = DOCS / "images"
    twelve = simulate_ecg(3, fs=500, duration_s=5, leads=SIMULATED_LEADS[:12])
    save_figure(plot_ecg(twelve.signal, 500, SIMULATED_LEADS[:12], row_s=5), images / "twelve-leads.png")
    strips = [
        Strip(simulate_ecg(4, rhythm=rhythm, duration_s=10, leads=("II",)).signal, 300, ("II",), f"simulated {rhythm}")
        for rhythm in ("SR", "AF")
    ]
    save_figure(record_panel(strips), images / "simulated.png")


def former_names() -> str:
    """Return the text of the page of old names, from the hints that errors give."""
    lines = [
        "# Names of CardIO and BatchFlow",
        "",
        "What the errors say for each old name. This file is written by `make reference`.",
    ]
    for owner, title in _OWNERS.items():
        lines += ["", f"## {title}", "", "| then | now |", "|---|---|"]
        hints = {name: _cell(now) for name, now in former_table(owner).items()}
        lines += [f"| `{name}` | {now} |" for name, now in sorted(hints.items())]
    return "\n".join([*lines, ""])


_OWNERS: dict[Owner, str] = {
    "pipeline": "Of a pipeline",
    "batch": "Of a batch",
    "dataset": "Of a data set",
    "module": "Of the module",
}


def _cell(hint: str) -> str:
    return hint.replace("|", "\\|")


def main() -> None:
    """Write the reference and the figures, or check whether the reference is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the reference is not current")
    check = parser.parse_args().check
    pages = {DOCS / "reference.md": reference(), DOCS / "former_names.md": former_names()}
    if check:
        old = [path.name for path, text in pages.items() if not path.is_file() or path.read_text() != text]
        if old:
            sys.exit(f"Not current: {', '.join(old)}. Run `make reference` and commit the result.")
        print("Current:", ", ".join(path.name for path in pages))
        return
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
    draw()
    print("Written:", ", ".join(path.name for path in pages), "and docs/images/")


if __name__ == "__main__":
    main()
