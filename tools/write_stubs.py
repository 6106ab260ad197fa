"""Write the ``_fluent.pyi`` files, which declare every action for editors and type checkers.

``python tools/write_stubs.py`` writes them; ``--check`` only says whether they are current.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import importlib
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cardioflow.batch.action import Action
from cardioflow.pipeline.steps import base as steps
from cardioflow.registry import actions, transforms, views
from cardioflow.registry import steps as step_registry

PROJECT = Path(__file__).resolve().parent.parent
ROOT = PROJECT / "src"
# For a type checker, an action that works only in a run is not a method of a batch.
IN_A_RUN_ONLY = (steps.RunStep,)
NO_EXPRESSION = ("Any", "object")


@dataclass(frozen=True)
class Stub:
    """One stub file: its path, its class, and the actions in it."""

    path: str
    class_name: str
    summary: str
    imports: tuple[tuple[str, str], ...]
    shown: Callable[[type[Action]], bool]
    annotation: Callable[[str], str]
    has_views: bool = False
    """Whether it has methods that return a figure."""


def works_on_a_batch(action: type[Action]) -> bool:
    """Return whether the action is declared as a method of a batch: not if it works only in a run."""
    return action.__call__ is not steps.RunStep.__call__


STUBS = (
    Stub(
        "cardioflow/batch/_fluent.pyi",
        "BatchActions",
        "Every action that works on a single batch, as a method that returns a new batch of the same class.",
        (),
        works_on_a_batch,
        lambda annotation: annotation,
        has_views=True,
    ),
    Stub(
        "cardioflow/pipeline/_fluent.pyi",
        "PipelineActions",
        "Every action, as a method that returns a pipeline with one more step.",
        (("cardioflow.pipeline.expressions", "Expression"),),
        lambda _: True,
        lambda annotation: annotation if annotation in NO_EXPRESSION else f"{annotation} | Expression",
    ),
)


def own_actions() -> Iterator[tuple[str, type[Action]]]:
    """Yield this package's actions by name, without those of other distributions."""
    places = {**transforms.locations(), **step_registry.locations()}
    for name in sorted(places):
        if places[name].startswith("cardioflow."):
            yield name, actions.get(name)


def render(stub: Stub) -> str:
    """Return the text of ``stub``."""
    imports = {("typing", "Self"), *stub.imports}
    methods = []
    for name, action in own_actions():
        if stub.shown(action):
            signature, needed = method_signature(action, stub.annotation)
            imports |= needed
            summary = textwrap.indent(f'"""{summary_of(action)}"""', " " * 8)
            methods.append(f"    def {name}({signature}) -> Self:\n{summary}")
    if stub.has_views:
        for name in views.names():
            view = views.get(name)
            signature, needed = method_signature(view, stub.annotation)
            imports |= needed | {("matplotlib.figure", "Figure")}
            summary = textwrap.indent(f'"""{summary_of(view)}"""', " " * 8)
            methods.append(f"    def {name}({signature}) -> Figure:\n{summary}")
    lines = [
        "# Written by tools/write_stubs.py; `make stub` writes it anew.",
        *import_lines(imports),
        f"\n__all__ = [{stub.class_name!r}]\n",
        f'class {stub.class_name}:\n    """{stub.summary}"""\n',
        *methods,
    ]
    return formatted("\n".join(lines) + "\n", stub.path)


def summary_of(action: type[Action]) -> str:
    """Return the first paragraph of the action's docstring.

    Raises:
        SystemExit: when it has none.
    """
    if not action.__doc__:
        sys.exit(f"{action.__module__}.{action.__name__} has no docstring, which the stub needs. Write one.")
    return inspect.cleandoc(action.__doc__).split("\n\n")[0]


def method_signature(action: type[Action], annotation: Callable[[str], str]) -> tuple[str, set[tuple[str, str]]]:
    """Return the parameters of ``action`` as source text, and the names they use as (module, name)."""
    needed: set[tuple[str, str]] = set()
    parts = ["self"]
    starred = False
    for parameter in inspect.signature(action).parameters.values():
        text = str(parameter.annotation) if parameter.annotation is not parameter.empty else "Any"
        needed |= names_in(text, where_annotated(action, parameter.name))
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            star = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            starred = True
            parts.append(f"{star}{parameter.name}: {text}")
            continue
        default = "" if parameter.default is parameter.empty else f" = {literal(parameter.default)}"
        parts.append(f"{parameter.name}: {annotation(text)}{default}")
    return ", ".join(parts), needed


def literal(value: Any) -> str:
    """Return ``value`` as source text, or ``...`` if it has no readable form."""
    text = repr(value)
    try:
        return text if ast.literal_eval(text) == value else "..."
    except (ValueError, SyntaxError):
        return "..."


def where_annotated(action: type[Action], parameter: str) -> str:
    """Return the module that contains the annotation of ``parameter``."""
    initialiser = action.__init__
    # A dataclass's own __init__ is compiled from a string; its annotations are those of the fields.
    if initialiser.__code__.co_filename != "<string>":
        return str(initialiser.__module__)
    for base in action.__mro__:
        if parameter in vars(base).get("__annotations__", {}):
            return base.__module__
    raise AssertionError(f"{action.__name__} has no field {parameter!r}")


def names_in(annotation: str, module: str) -> set[tuple[str, str]]:
    """Return the origin of each name in ``annotation``, as (module, name)."""
    names = {node.id for node in ast.walk(ast.parse(annotation, mode="eval")) if isinstance(node, ast.Name)}
    known = imports_of(module)
    return {known.get(name, (module, name)) for name in names if name in known or not hasattr(builtins, name)}


@cache
def imports_of(module: str) -> dict[str, tuple[str, str]]:
    """Return the names that ``module`` imports, including imports for type checkers only."""
    source = inspect.getsource(importlib.import_module(module))
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name] = (alias.name, "")
    return found


def import_lines(needed: Iterable[tuple[str, str]]) -> list[str]:
    """Return the import statements for ``needed``, by module."""
    by_module: dict[str, set[str]] = {}
    for module, name in needed:
        by_module.setdefault(module, set()).add(name)
    lines = []
    for module in sorted(by_module, key=lambda m: (m.startswith("cardioflow"), m)):
        names = sorted(by_module[module] - {""})
        if names:
            lines.append(f"from {module} import {', '.join(names)}")
        else:
            lines.append("import numpy as np" if module == "numpy" else f"import {module}")
    return lines


def formatted(text: str, path: str) -> str:
    """Return ``text`` formatted by ruff, with sorted imports."""
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--select=I", "--fix-only", "--quiet"], ["format", "--quiet"]):
        done = subprocess.run(
            [*ruff, *command, "--stdin-filename", str(PROJECT / "src" / path), "-"],
            input=text, capture_output=True, text=True, check=True, cwd=PROJECT,
        )  # fmt: skip
        text = done.stdout
    return text


def main() -> None:
    """Write the stubs, or name those that are not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a stub is not current")
    check = parser.parse_args().check
    stale = []
    for stub in STUBS:
        path = ROOT / stub.path
        text = render(stub)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(stub.path)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        sys.exit(f"Not current: {', '.join(stale)}. Run `make stub` and commit the result.")
    print(f"{'Current' if check else 'Written'}: {', '.join(stub.path for stub in STUBS)}")


if __name__ == "__main__":
    main()
