"""CardIO's ready pipelines: templates for ``dataset >> pipeline``, which ``.run()`` then executes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cardioflow.pipeline.expressions import B, V
from cardioflow.pipeline.pipeline import Pipeline

__all__ = [
    "dirichlet_predict_pipeline",
    "dirichlet_train_pipeline",
    "hmm_predict_pipeline",
    "hmm_preprocessing_pipeline",
    "hmm_train_pipeline",
]

_FS: Final = 300.0
"""Hz, the rate of CinC 2017, at which segments of 2 048 samples last 6.8 s."""
_SEGMENT: Final = 2048
_HMM_FS: Final = 250.0
"""Hz, the rate of QTDB, to which the scales of the wavelets belong."""


def dirichlet_train_pipeline(
    labels: Any = None,
    batch_size: int = 256,
    n_epochs: int = 1000,
    loss_history: str = "loss_history",
    model_path: str | Path | None = None,
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
        model_path: A saved model to go on from; by default a new one is trained.
    """
    settings = {"fs": _FS} if model_path is None else {"path": str(model_path)}
    return (
        Pipeline(config={"dirichlet": settings})
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


def hmm_preprocessing_pipeline(
    batch_size: int = 20, features: str = "hmm_features", ann_ext: str | None = "pu1"
) -> Pipeline:
    """Return the pipeline that makes the observations of the hidden Markov model, for QTDB by default.

    Signals are brought to 250 Hz, so that the scales of the wavelets mean the same at any rate: a Mexican hat of 4, 8
    and 16 samples, which is 16, 32 and 64 ms. Each lead and scale has mean 0 and standard deviation 1 over the record.
    CardIO's function of this name took any rate as 250 Hz.

    Args:
        batch_size: Records per batch.
        features: The component to write, (lead, scale, time) for each record.
        ann_ext: The annotation with the onsets and ends of waves; ``None`` reads none.
    """
    return _hmm_steps(features, ann_ext).run(batch_size=batch_size, shuffle=False, drop_last=False, n_epochs=1)


def _hmm_steps(features: str, ann_ext: str | None) -> Pipeline:
    given: dict[str, Any] = {"components": ["signal", "meta"]}
    if ann_ext is not None:
        given = {"components": ["signal", "annotation", "meta"], "ann_ext": ann_ext}
    return (
        Pipeline()
        .load(**given)
        .resample_signals(_HMM_FS)
        .cwt([4, 8, 16], "mexh", dst=features)
        .standardize(axis=-1, src=features, dst=features)
    )


def hmm_train_pipeline(
    preprocessing: Pipeline | None = None,
    batch_size: int = 20,
    features: str = "hmm_features",
    channel_ix: int = 0,
    n_iter: int = 25,
    *,
    durations: bool = False,
) -> Pipeline:
    """Return the pipeline that trains ``"hmm"``, the 19 states of a heart beat, on all records of a data set at once.

    ``run.save_model("hmm", path)`` then keeps it. CardIO's function of this name took the data set that its
    preprocessing had been run on, fitted each batch anew, and had a ``random_state``; nothing is random here.

    Args:
        preprocessing: What makes the observations and reads the marks; by default ``hmm_preprocessing_pipeline``.
            Where its ``run`` was recorded, that is the run.
        batch_size: Records per batch; the model does not depend on it.
        features: The component with the observations.
        channel_ix: The lead to learn from.
        n_iter: The largest number of updates of EM.
        durations: Whether the model learns how long each state lasts, and finds states by that, too.
    """
    settings = {"features": features, "channel": channel_ix, "n_iter": n_iter, "durations": durations}
    steps = preprocessing or _hmm_steps(features, "pu1")
    trained = (Pipeline(config={"hmm": settings}) + steps).train_on_batch("hmm")
    if trained.run_arguments:
        return trained
    return trained.run(batch_size=batch_size, shuffle=False, drop_last=False, n_epochs=1)


def hmm_predict_pipeline(
    model_path: str | Path,
    batch_size: int = 20,
    features: str = "hmm_features",
    annot: str = "hmm_annotation",
) -> Pipeline:
    """Return the pipeline that finds the states of records with a saved ``"hmm"`` and measures intervals from them.

    Every batch that comes out has the states of each sample, at 250 Hz, in the component ``annot``, and in
    ``ecg_parameters`` what ``calc_ecg_parameters`` makes of them: heart rate, PQ, QRS and QT. The lead, CardIO's
    ``channel_ix``, is the one that the model was trained on.

    Args:
        model_path: What ``save_model`` wrote.
        batch_size: Records per batch.
        features: The component with the observations, as in training.
        annot: The component to write.
    """
    begun = Pipeline(config={"hmm": {"path": str(model_path)}}).init_model("hmm")
    return (
        (begun + _hmm_steps(features, None))
        .predict_on_batch("hmm", save_to=B(annot))
        .calc_ecg_parameters(src=annot)
        .run(batch_size=batch_size, shuffle=False, drop_last=False, n_epochs=1)
    )
