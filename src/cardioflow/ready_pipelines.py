"""CardIO's ready pipelines: templates for ``dataset >> pipeline``, which ``.run()`` then executes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cardioflow.pipeline.expressions import V
from cardioflow.pipeline.pipeline import Pipeline

__all__ = ["dirichlet_predict_pipeline", "dirichlet_train_pipeline"]

_FS: Final = 300.0
"""Hz, the rate of CinC 2017, at which segments of 2 048 samples last 6.8 s."""
_SEGMENT: Final = 2048


def dirichlet_train_pipeline(
    labels: Any = None, batch_size: int = 256, n_epochs: int = 1000, loss_history: str = "loss_history"
) -> Pipeline:
    """Return the pipeline that trains ``"dirichlet"`` to tell atrial fibrillation, ``"A"``, from all else, ``"NO"``.

    It is for the labels of CinC 2017: noise, ``"~"``, is dropped, and ``"N"`` and ``"O"`` become ``"NO"``. Signals are
    turned upright and brought to a rate drawn around 300 Hz (SD 10 Hz), which varies heart rate and widths; nine
    random segments of 2 048 samples are cut from records with AF, three from others. Upright signals are kept in memory
    (36 kB for 30 s). ``labels_path`` of CardIO's function of this name is ``labels`` here; the device, its
    ``gpu_options``, is left to the backend.

    Args:
        labels: What ``load(components="target")`` takes as ``src``, such as the path of ``REFERENCE.csv``; by default
            the labels that the data set knows, as ``cardioflow.datasets.cinc2017`` does.
        batch_size: Records per batch.
        n_epochs: Epochs of the run.
        loss_history: The variable that gets the loss of every batch.
    """
    return (
        Pipeline(config={"dirichlet": {"fs": _FS}})
        .init_variable(loss_history, [])
        .load(src=labels, components="target")
        .drop_labels(["~"])
        .rename_labels({"N": "NO", "O": "NO"})
        .load(components=["signal", "meta"])
        .flip_signals()
        .cache()
        .random_resample_signals("normal", loc=_FS, scale=10)
        .random_split_signals(_SEGMENT, {"A": 9, "NO": 3})
        .binarize_labels()
        .train_on_batch("dirichlet", save_to=V(loss_history, mode="a"))
        .run(batch_size=batch_size, shuffle=True, drop_last=True, n_epochs=n_epochs)
    )


def dirichlet_predict_pipeline(
    model_path: str | Path,
    batch_size: int = 100,
    predictions: str = "predictions_list",
    uncertainty: str = "uncertainty",
) -> Pipeline:
    """Return the pipeline that predicts records with a saved ``"dirichlet"`` model, and says how sure it is.

    After the run, the variable ``predictions`` holds a ``Prediction(id, value)`` per record with the probability of
    each of ``run.get_model("dirichlet").classes``, and ``uncertainty`` one with a number from 0 (sure) to about 1:
    those of the mixture of the record's segments, 2 048 samples at 300 Hz each. CardIO's function of this name wrote
    dictionaries ``{"target_pred": …, "uncertainty": …}`` to ``predictions``, and took any sampling rate as 300 Hz.

    Args:
        model_path: What ``save_model`` wrote.
        batch_size: Records per batch.
        predictions: The variable for the probabilities.
        uncertainty: The variable for the uncertainties.
    """
    return (
        Pipeline(config={"dirichlet": {"path": str(model_path)}})
        .init_model("dirichlet")
        .init_variable(predictions, [])
        .init_variable(uncertainty, [])
        .load(components=["signal", "meta"])
        .flip_signals()
        .resample_signals(_FS)
        .split_signals(_SEGMENT, _SEGMENT)
        .predict_on_batch("dirichlet", save_to=V(predictions), uncertainty=V(uncertainty))
        .run(batch_size=batch_size, shuffle=False, drop_last=False, n_epochs=1)
    )
