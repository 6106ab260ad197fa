"""Files import in one direction only: no two of them import each other, directly or by way of others."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import cardioflow

ROOT = Path(cardioflow.__file__).parent


def _modules() -> dict[str, Path]:
    files = [*ROOT.rglob("*.py")]
    return {
        ".".join(("cardioflow", *f.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): f for f in files
    }


def _imports(file: Path, modules: dict[str, Path]) -> set[str]:
    """Return the modules that ``file`` imports anywhere, in functions and for types too."""
    found = set[str]()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules else node.module)
    return found & modules.keys()


def test_no_files_import_each_other_in_a_circle_not_even_for_types() -> None:
    modules = _modules()
    assert len(modules) > 300
    graph = {name: _imports(file, modules) - {name} for name, file in modules.items()}
    assert graph["cardioflow.pipeline.bound"] >= {"cardioflow.pipeline.run", "cardioflow.pipeline.template"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(f"These files import each other: {' -> '.join(reversed(error.args[1]))}") from None
