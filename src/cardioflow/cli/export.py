"""Writing a saved model as ONNX."""

from __future__ import annotations

from pathlib import Path

from cardioflow.bundle import load
from cardioflow.cli.printing import say
from cardioflow.errors import ModelError
from cardioflow.models.adapter import BackendModel

__all__ = ["export_model"]


def export_model(model: Path, onnx: Path) -> int:
    """Write the saved ``model`` to the file ``onnx``, print what was compared, and return the exit status.

    Raises:
        DumpError: when ``model`` is not a saved model.
        ModelError: when it can only be loaded by its own code, cannot be exported, or its graph predicts otherwise.
    """
    own = load(model).model
    if not isinstance(own, BackendModel):
        raise ModelError(f"{str(model)!r} holds a {type(own).__name__}, which cannot be exported to ONNX.")
    # Imported here, because it needs the package onnx, which only exporting needs.
    from cardioflow.models.export import export_onnx

    found = export_onnx(own, onnx)
    say(f"{found.path}: {found.n_bytes} bytes, opset {found.opset}, any number of records")
    lengths = found.compared.lengths
    if lengths:
        taken = "any number of samples" if found.free_time else f"{lengths[0]} samples, as the model does"
        say(f"Takes signals of {taken}; compared at {', '.join(map(str, lengths))} samples")
    rows = " and ".join(map(str, sorted(found.compared.rows)))
    say(f"Batches of {rows} records: largest difference from the model {found.compared.difference:.1e}")
    if found.preprocessing is not None:
        say(f"{found.preprocessing}: the preprocessing, which the .onnx file holds too")
    return 0
