"""Build the documentation site in ``out/site`` from ``docs/``, the docstrings and the tables of the benchmarks.

``python tools/build_site.py`` does it; a broken link or a docstring that does not parse is an error.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cardioflow import registry

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "out" / "site-source"
"""The pages side by side as in the repository, so that a link works there and on the site."""

CORE = {
    "Data sets, pipelines and runs": ("EcgDataset", "Pipeline", "pipeline.run.Run", "B", "C", "F", "V", "action"),
    "Batches": ("EcgBatch",),
    "Models": (
        "model",
        "load",
        "models.base.BaseModel",
        "models.keras.KerasBaseModel",
        "models.tensorflow.TensorFlowBaseModel",
        "models.torch.TorchBaseModel",
        "models.jax.JaxBaseModel",
        "models.sklearn.SklearnBaseModel",
    ),
    "Errors": tuple(
        f"errors.{name}" for name in ("CardioFlowError", "InputError", "FormatError", "LabelError", "BadRecordsError")
    ),
}

REGISTRIES = {
    "formats": "Formats",
    "models": "Models of the zoo",
    "metrics": "Metrics",
    "callbacks": "Callbacks",
    "datasets": "Public data sets",
    "detectors": "Detectors of beats",
}


def main() -> int:
    """Stage the pages, write those of the reference, and let Sphinx build them."""
    stage()
    write_reference_pages(STAGE / "api")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", "2"]
    site = ROOT / "out" / "site"
    status = subprocess.run([*command, "-c", str(ROOT / "docs"), str(STAGE), str(site)], check=False).returncode
    # Pages lie as in the repository, so the first one is in a folder; browsers and hosts open index.html.
    (site / "index.html").write_text('<!DOCTYPE html><meta http-equiv="refresh" content="0; url=docs/index.html">\n')
    return status


def stage() -> None:
    """Copy the pages that people wrote, and list the decisions and the tables of the benchmarks."""
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    shutil.copytree(ROOT / "docs", STAGE / "docs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(ROOT / "benchmarks" / "results", STAGE / "benchmarks" / "results")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        shutil.copy(ROOT / name, STAGE)
    decisions = STAGE / "docs" / "decisions"
    (decisions / "README.md").rename(decisions / "index.md")
    (decisions / "template.md").write_text("---\norphan: true\n---\n" + (decisions / "template.md").read_text())
    numbered = sorted(path.stem for path in decisions.glob("[0-9]*.md"))
    with (decisions / "index.md").open("a") as page:
        page.write("\n" + _toctree(numbered))
    results = STAGE / "benchmarks" / "results"
    tables = sorted((path.stem for path in results.glob("*.md")), reverse=True)
    (results / "index.md").write_text(
        "# Benchmarks\n\nEach table was written by a script in `benchmarks/`, and names the machine, the commit and "
        "the protocol.\n\n" + _toctree(tables)
    )


def write_reference_pages(folder: Path) -> None:
    """Write a page per chapter of the reference; the text comes from the docstrings."""
    folder.mkdir()
    pages: list[str] = []
    for title, names in CORE.items():
        pages.append(_page(folder, title, (_member(f"cardioflow.{name}", with_methods=True) for name in names)))
    pages.append(_page(folder, "Actions", (_action(name) for name in registry.actions.names())))
    for attribute, title in REGISTRIES.items():
        members: registry.Registry = getattr(registry, attribute)
        found = (_member(place.replace(":", ".")) for place in members.locations().values())
        pages.append(_page(folder, title, (text for text in found if "cardioflow." in text)))
    (folder / "index.md").write_text("# Classes and functions\n\n" + _toctree(pages))
    _write_command_line(folder / "command_line.md")


def _page(folder: Path, title: str, entries: Iterator[str]) -> str:
    name = title.lower().replace(" ", "_").replace(",", "")
    (folder / f"{name}.md").write_text(f"# {title}\n\n" + "\n".join(entries))
    return name


def _member(place: str, *, with_methods: bool = False) -> str:
    kind = _kind(place)
    options = (
        f":members:\n:exclude-members: {', '.join(registry.actions.names())}\n"
        if with_methods and kind == "autoclass"
        else ""
    )
    return f"```{{eval-rst}}\n.. {kind}:: {place}\n{_indent(options)}```\n"


def _action(name: str) -> str:
    return f"```{{eval-rst}}\n.. automethod:: cardioflow.EcgBatch.{name}\n```\n"


def _kind(place: str) -> str:
    from importlib import import_module

    module, _, name = place.rpartition(".")
    return "autoclass" if isinstance(getattr(import_module(module), name), type) else "autofunction"


def _write_command_line(page: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "typer", "cardioflow.cli.app", "utils", "docs", "--name", "cardioflow"],
        capture_output=True,
        text=True,
        check=True,
    )
    page.write_text(done.stdout.replace("# `cardioflow`", "# Command line", 1))


def _toctree(names: list[str]) -> str:
    return "```{toctree}\n:maxdepth: 1\n\n" + "\n".join(names) + "\n```\n"


def _indent(text: str) -> str:
    return "".join(f"   {line}\n" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
