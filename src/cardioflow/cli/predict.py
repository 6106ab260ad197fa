"""What a saved model says of files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import typer

from cardioflow import registry
from cardioflow.errors import CardioFlowError, DumpError, ModelError
from cardioflow.models.base import BaseModel
from cardioflow.models.dump import read_header
from cardioflow.models.dump_header import DumpHeader
from cardioflow.pipeline.dataset import EcgDataset
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["load_model", "predict_files", "print_predictions"]


def print_predictions(model: Path, files: Sequence[Path], *, as_json: bool) -> int:
    """Print what ``model`` says of each of ``files`` and return the exit status: 2 when one could not be read."""
    answer = predict_files(model, files)
    if as_json:
        typer.echo(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        for found in answer["predictions"]:
            shares = "   ".join(f"{label} {p:.3f}" for label, p in found["probabilities"].items())
            typer.echo(f"{found['file']}   {', '.join(found['labels']) or 'none'}   ({shares})")
    for left_out in answer["skipped"]:
        typer.echo(f"cardioflow: {left_out['file']}: {left_out['reason']}", err=True)
    return 2 if answer["skipped"] else 0


def predict_files(model: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Return what the dump ``model`` says of each of ``files``, prepared as the dump says, as plain JSON values.

    A file that cannot be read, or that the model cannot take, is listed with its reason under ``"skipped"``.

    Raises:
        DumpError: when ``model`` is no dump, or holds no preprocessing.
        ModelError: when it cannot be loaded without the code that built it.
    """
    header = read_header(model)
    if header.preprocessing is None:
        raise DumpError(
            f"{str(model)!r} does not say how a file becomes what the model takes. Save it with its preprocessing: "
            "save_model(name, path, preprocessing=pipeline)."
        )
    pipeline = _preprocessing(model, header.preprocessing)
    pipeline = pipeline.import_model("model", load_model(model, header)).predict_on_batch("model")
    answers, skipped = [], []
    for file in dict.fromkeys(str(f) for f in files):
        # A run each: files differ in leads and rate, and what is wrong with one is no matter of the next.
        try:
            run = (EcgDataset({file: file}) >> pipeline).run(batch_size=1, threads=0, progress=False)
            (found,) = run.get_variable("prediction")
        except CardioFlowError as error:
            skipped.append({"file": file, "step": error.step, "reason": str(error)})
        else:
            answers.append(_answer(file, found.value, header.classes, header.output == "independent"))
    return {"model": str(model), "predictions": answers, "skipped": skipped}


def _preprocessing(model: Path, text: str) -> Pipeline:
    """Return the steps that the dump brings, refusing any that could write, or read other files than those given."""
    pipeline = Pipeline.from_json(text)
    for call in pipeline.steps:
        source = call.args[0] if call.args else call.kwargs.get("src")
        if source is not None if call.name == "load" else call.name not in registry.transforms:
            raise DumpError(
                f"{str(model)!r} would prepare files with {call}, and only actions on a record are taken from a dump. "
                "If you trust it, run its pipeline in Python."
            )
    return pipeline


def load_model(path: Path, header: DumpHeader) -> BaseModel:
    """Return the model in the dump ``path``, whose header is given.

    Raises:
        ModelError: when it was built by code that is not in the zoo, and its weights alone do not say how.
    """
    for name in registry.models.names():
        if registry.class_name(name) == header.model:
            zoo: BaseModel = registry.models.get(name)()
            return zoo.load(path)
    if header.adapter == "keras":
        from cardioflow.models.keras import KerasBaseModel

        return KerasBaseModel().load(path)
    raise ModelError(
        f"{str(path)!r} holds the weights of {header.model}, which only its own code can build. "
        "Predict with it in Python: Pipeline(config={name: {'path': …}}).predict_on_batch(name)."
    )


def _answer(file: str, value: Any, labels: Sequence[str] | None, multilabel: bool) -> dict[str, Any]:  # noqa: FBT001 -- a field of the header
    shares = np.atleast_1d(np.asarray(value, dtype=np.float64))
    names = labels if labels is not None and len(labels) == len(shares) else [str(i) for i in range(len(shares))]
    chosen: list[int] = np.flatnonzero(shares >= 0.5).tolist() if multilabel else [int(shares.argmax())]
    return {
        "file": file,
        "labels": [names[i] for i in chosen],
        "probabilities": {name: float(p) for name, p in zip(names, shares, strict=True)},
    }
