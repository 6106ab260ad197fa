"""Bundles are made here: a description and its files, checked as they will be when they are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.package import DESCRIPTION, write_package
from cardioflow.errors import DumpError

__all__ = ["write_bundle"]


def write_bundle(
    path: str | Path, description: BundleDescription, files: Mapping[str, bytes | str | Path] | None = None
) -> Bundle:
    """Write a bundle to ``path`` and return it as ``load`` would.

    Args:
        path: A folder, or a file that ends in ``.zip`` or ``.cardioflow``.
        description: What the bundle says of itself.
        files: By the name that ``description`` has for it, the content of each file, or where it is.

    Raises:
        DumpError: when a file is missing or not named by the description, or the bundle could not be loaded.
        WriteError: when ``path`` cannot be written.
    """
    contents = {
        name: given if isinstance(given, bytes) else Path(given).read_bytes() for name, given in (files or {}).items()
    }
    unknown = sorted(set(contents) - set(description.file_names)) if description.members else []
    if unknown:
        raise DumpError(f"write_bundle(files=…) has {unknown[0]!r}, which no member of the description names.")
    whole = {**contents, DESCRIPTION: description.to_json().encode()}
    made = Bundle.from_files(whole, name=str(path))
    write_package(Path(path), whole)
    return made
