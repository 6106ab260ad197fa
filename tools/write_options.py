"""Write the table of training options in ``docs/models.md`` from what the adapters declare.

``python tools/write_options.py`` writes it; ``--check`` only checks whether it is current.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "src" / "cardioflow" / "models"
PAGE = ROOT / "docs" / "models.md"
ADAPTERS = {
    "keras": "Keras",
    "torch": "PyTorch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
    "sklearn": "scikit-learn",
}
"""The files of the adapters. They are read and not imported, because that would take all backends."""
BEGIN, END = "<!-- options: written by tools/write_options.py -->", "<!-- end of options -->"


def refused(adapter: str) -> dict[str, str]:
    """Return the options that an adapter refuses, with the reasons."""
    tree = ast.parse((MODELS / f"{adapter}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "cannot":
            found: dict[str, str] = ast.literal_eval(node.value) if node.value else {}
            return found
    raise LookupError(f"{adapter}.py does not declare what it cannot do.")


def options() -> Iterator[tuple[str, str]]:
    """Yield each training option with the first sentence of its docstring."""
    tree = ast.parse((MODELS / "training.py").read_text(encoding="utf-8"))
    (body,) = (n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "TrainingOptions")
    for node, said in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(said, ast.Expr):
            text = " ".join(str(ast.literal_eval(said.value)).split())
            yield node.target.id, re.split(r"(?<=[.;]) ", text)[0].rstrip(".;").replace("``", "`")


def table() -> str:
    """Return the table, and the list of what to do where an option is refused."""
    declared = {adapter: refused(adapter) for adapter in ADAPTERS}
    lines = [f"| option | {' | '.join(ADAPTERS.values())} | what it says |", "|---" * (len(ADAPTERS) + 2) + "|"]
    for name, said in options():
        cells = ["no" if name in declared[adapter] else "yes" for adapter in ADAPTERS]
        lines.append(f"| `{name}` | {' | '.join(cells)} | {said} |")
    lines += ["", "An option that a backend does not take is refused with what to do instead:", ""]
    for adapter, title in ADAPTERS.items():
        if declared[adapter]:
            reasons = " ".join(f"`{name}`: {reason}" for name, reason in declared[adapter].items())
            lines.append(f"- {title}. {reasons}")
    return "\n".join(lines)


def written() -> str:
    """Return the page with the current table."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(written(), encoding="utf-8")
    elif written() != PAGE.read_text(encoding="utf-8"):
        sys.exit("docs/models.md is not current. Run python tools/write_options.py.")
