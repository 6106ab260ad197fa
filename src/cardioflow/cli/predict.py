"""Predictions of a saved model for files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cardioflow.bundle import load
from cardioflow.cli.printing import as_json_text, say
from cardioflow.core.printable import escaped

__all__ = ["predict_files", "print_predictions"]


def print_predictions(model: Path, files: Sequence[Path], *, as_json: bool) -> int:
    """Print what ``model`` predicts for each of ``files`` and return the exit status: 2 if one was skipped."""
    answer = predict_files(model, files)
    if as_json:
        say(as_json_text(answer))
    else:
        for found in answer["predictions"]:
            shares = "   ".join(f"{escaped(label)} {p:.3f}" for label, p in found["probabilities"].items())
            shares = shares or "   ".join(f"{value:.6g}" for value in found.get("values", ()))
            labels = ", ".join(map(escaped, found["labels"])) or "none"
            say(f"{escaped(found['file'])}   {labels}   ({shares})")
    for warning in answer["warnings"]:
        say(f"cardioflow: {escaped(warning)}", err=True)
    for left_out in answer["skipped"]:
        say(f"cardioflow: {escaped(left_out['file'])}: {escaped(left_out['reason'])}", err=True)
    return 2 if answer["skipped"] else 0


def predict_files(model: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Return what the dump ``model`` predicts for each of ``files``, as plain JSON values.

    A file that cannot be read or predicted is listed with the reason under ``"skipped"``. ``"warnings"`` says what
    was done to the others, such as leads taken by name.

    Raises:
        DumpError: if ``model`` is not a dump, or has no preprocessing.
        ModelError: if it cannot be loaded without the code that built it.
    """
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always", UserWarning)
        found = load(model).predict(files)
    texts = [str(w.message) for w in given if w.category is UserWarning]
    predictions = [
        {"file": p.file, "labels": list(p.labels), "probabilities": dict(p.probabilities)}
        | ({"values": list(p.values)} if p.values else {})
        for p in found
    ]
    skipped = [{"file": s.file, "step": s.step, "reason": s.reason} for s in found.skipped]
    return {"model": str(model), "predictions": predictions, "skipped": skipped, "warnings": texts}
