"""The adapter for hidden Markov models: a state per sample, learned from whole records."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from cardioflow.analysis.gaussian_hmm import Covariance, GaussianHmm
from cardioflow.analysis.semi_markov import SemiMarkov
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.ragged import Ragged
from cardioflow.errors import ConfigError, DumpError, InputError, ModelError
from cardioflow.models._refuse import refuse
from cardioflow.models._weights import check_weights
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.persistence import PersistentModel
from cardioflow.models.targets import LabelPerSample

__all__ = ["HMModel"]

Array = NDArray[Any]

_PARTS: Final = ("start", "transitions", "means", "covariances")
_DURATIONS: Final = "durations"


class HMModel(PersistentModel):
    """A hidden Markov model with Gaussian states: it learns from whole records and gives a state per sample.

    ``train_on_batch`` collects the observations of each record; at the end of the run, EM fits the model to all of
    them at once, from where it stands. ``predict_on_batch`` gives each record its most probable sequence of states.
    An observation is what a component of the batch, such as wavelet coefficients, holds at one sample:
    ``build(GaussianHmm(…))`` takes the model to begin with. Nothing is random, and the number of threads does not
    change a bit. CardIO's ``HMModel`` fitted every batch anew, so that the last one decided, and saved with ``dill``.

    Args:
        features: The component with the observations: a row of (time,), (feature, time) or (lead, feature, time)
            for each record.
        channel: Which lead, where the component has several.
        n_iter: The largest number of updates of EM.
        tol: EM ends when the log-likelihood of all records gains less than this.
        min_variance: What each update adds to the variances.
    """

    adapter = "hmm"
    holds_architecture = True

    def __init__(
        self,
        features: str = "hmm_features",
        channel: int = 0,
        n_iter: int = 25,
        tol: float = 1e-2,
        min_variance: float = 1e-6,
    ) -> None:
        super().__init__()
        self.features = features
        self.channel = channel
        self.n_iter = n_iter
        self.tol = tol
        self.min_variance = min_variance
        self.targets = LabelPerSample()
        self.model: GaussianHmm | None = None
        self.durations: Array | None = None
        """(state, longest), the probability that a state lasts 1, 2, … samples; ``None`` leaves it to transitions."""
        self.log_likelihoods: tuple[float, ...] = ()
        """Of all records together, before each update of the last fit."""
        self._collected: list[Array] = []

    def build(self, model: GaussianHmm, durations: Array | None = None) -> Self:
        """Begin with ``model``; with ``durations``, (state, longest), states are decoded by ``SemiMarkov``."""
        self.model = model
        self.durations = None if durations is None else SemiMarkov(model, durations).durations
        return self

    @property
    def fs(self) -> float | None:
        """The sampling rate in Hz of the records that it was trained on."""
        return self._signature.fs

    # -- the five methods ----------------------------------------------------------

    def train_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        """Keep the observations of each record for the end of the run; return an empty dictionary.

        Raises:
            InputError: for a record that it cannot take.
            BadRecordsError: for several of them.
            ConfigError: when a metric is asked for: states are not compared with targets.
        """
        _refuse_metrics(metrics, kwargs)
        sequences = self._sequences(batch)
        self._check_rate(batch)
        self._collect(batch, sequences)
        if self._signature.fs is None:
            self._signature.fs = float(batch.fs[0])
        return {}

    def test_on_batch(self, batch: EcgBatch, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        """Return ``"loss"``, the negative log-likelihood per sample."""
        _refuse_metrics(metrics, kwargs)
        model, sequences = self._fitted(), self._sequences(batch)
        self._check_rate(batch)
        total = model.log_likelihood(sequences, threads=_threads()).sum()
        found = {"loss": float(-total / sum(map(len, sequences)))}
        self.hist.add("val", found)
        return found

    def predict_on_batch(self, batch: EcgBatch) -> Array:
        """Return the most probable states of each record: an array of (record,) that holds one of (time,) for each."""
        fitted, sequences = self._fitted(), self._sequences(batch)
        model = fitted if self.durations is None else SemiMarkov(fitted, self.durations)
        self._check_rate(batch)
        found = np.empty(len(batch), object)
        for i, states in enumerate(model.decode(sequences, threads=_threads())):
            found[i] = states
        return found

    def end_run(self) -> dict[str, float]:
        """Fit the model to what was collected; return the loss, the negative log-likelihood per sample after it."""
        if not self._collected:
            return {}
        self.model = self._begin()
        fit = self.model.fit(
            self._collected,
            n_iter=self.n_iter,
            tol=self.tol,
            min_variance=self.min_variance,
            allowed=self._allowed(),
            threads=_threads(),
        )
        self.model, self.log_likelihoods = fit.model, fit.log_likelihoods
        total = fit.model.log_likelihood(self._collected, threads=_threads()).sum()
        found = {"loss": float(-total / sum(map(len, self._collected)))}
        self.durations = self._learned_durations()
        self._forget()
        self.hist.add("train", found)
        return found

    # -- what a subclass may say -----------------------------------------------------

    def _collect(self, batch: EcgBatch, sequences: Sequence[Array]) -> None:  # noqa: ARG002 -- for subclasses
        self._collected += sequences

    def _begin(self) -> GaussianHmm:
        """Return the model that EM starts from."""
        if self.model is None:
            raise ModelError(
                f"{type(self).__name__} has no model to begin with. Call build(GaussianHmm(…)), or train 'hmm', which "
                "takes it from the annotation."
            )
        return self.model

    def _allowed(self) -> list[NDArray[np.bool_]] | None:
        """Return the states that each collected sample may have."""
        return None

    def _learned_durations(self) -> Array | None:
        """Return the durations of the fitted model's states; those that were given, unless a subclass learns them."""
        return self.durations

    def _forget(self) -> None:
        self._collected = []

    # -- weights ---------------------------------------------------------------------

    def get_weights(self) -> list[Array]:
        model = self._fitted()
        durations = [] if self.durations is None else [np.array(self.durations)]
        return [*(np.array(getattr(model, name)) for name in _PARTS), *durations]

    def set_weights(self, weights: Sequence[Array]) -> None:
        check_weights(type(self).__name__, self.get_weights(), weights)
        parts, durations = weights[: len(_PARTS)], weights[len(_PARTS) :]
        self.build(_model(dict(zip(_PARTS, parts, strict=True)), self._fitted().covariance), *durations)

    def _has_weights(self) -> bool:
        return self.model is not None

    def _write(self, folder: Path) -> str:
        model = self._fitted()
        settings = {"features": self.features, "channel": self.channel, "covariance": model.covariance}
        arrays = {name: np.ascontiguousarray(getattr(model, name)) for name in _PARTS}
        if self.durations is not None:
            arrays[_DURATIONS] = np.ascontiguousarray(self.durations)
        save_file(arrays, folder / "weights.safetensors", metadata={"hmm": json.dumps(settings)})
        return "weights.safetensors"

    def _read(self, weights: Path, header: DumpHeader) -> None:
        try:
            with safe_open(weights, "np") as file:
                settings = _settings((file.metadata() or {})["hmm"])
                arrays = {name: file.get_tensor(name) for name in _PARTS}
                names = file.keys()
                durations = file.get_tensor(_DURATIONS) if _DURATIONS in names else None
            self.build(_model(arrays, settings["covariance"]), durations)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError, InputError) as error:
            raise DumpError(f"The dump of {header.model} is damaged: {error} Save the model again.") from error
        self.features, self.channel = settings["features"], settings["channel"]

    def _training(self) -> dict[str, Array]:
        return super()._training() | {f"collected/{i:06d}": own for i, own in enumerate(self._collected)}

    def _take_training(self, arrays: Mapping[str, Array]) -> None:
        super()._take_training(arrays)
        self._collected = [arrays[name] for name in sorted(arrays) if name.startswith("collected/")]

    # -- inside ------------------------------------------------------------------------

    def _require_model(self) -> None:
        # What was collected may be saved before the first fit.
        return

    def _fitted(self) -> GaussianHmm:
        if self.model is None:
            raise ModelError(
                f"{type(self).__name__} is not fitted yet: it is fitted at the end of the run. Train it first, or call "
                "end_run after train_on_batch."
            )
        return self.model

    def _sequences(self, batch: EcgBatch) -> list[Array]:
        """Return the observations of each record, (time, feature) as float32."""
        if not len(batch):
            raise InputError("The batch has no records left for the model. Skip empty batches.")
        component = batch.component(self.features)
        if not isinstance(component, Ragged) or component.dtype.kind not in "fiu" or component.ndim > 3:
            raise InputError(
                f"The component {self.features!r} does not hold observations of whole records. Make it with "
                "cardioflow.ready_pipelines.hmm_preprocessing_pipeline, or cwt(…, dst=…), before signals are cut."
            )
        wanted = None if self.model is None else self.model.n_features
        rows = self._of_channel(batch, [np.asarray(own, np.float32) for own in component])
        found = [np.ascontiguousarray(np.atleast_2d(own).T) for own in rows]
        bad = np.array([not np.isfinite(x).all() or not len(x) for x in found])
        refuse(
            batch,
            bad,
            lambda i: InputError(
                f"The observations of record {batch.ids[i]!r} are empty, or NaN or infinite somewhere. Call "
                "fill_missing_signals first, or drop the record."
            ),
        )
        other = np.array([wanted is not None and x.shape[1] != wanted for x in found])
        refuse(
            batch,
            other,
            lambda i: InputError(
                f"The model takes {wanted} features per sample, and record {batch.ids[i]!r} has {found[i].shape[1]}. "
                "Compute the same features as in training."
            ),
        )
        return found

    def _of_channel(self, batch: EcgBatch, rows: list[Array]) -> list[Array]:
        """Return the observations of the model's lead, where they are given for each lead."""
        if rows[0].ndim < 3:
            return rows
        few = np.array([len(own) <= self.channel for own in rows])
        refuse(
            batch,
            few,
            lambda i: InputError(
                f"The model takes lead number {self.channel} of {self.features!r}, and record {batch.ids[i]!r} has "
                f"{len(rows[i])}. Pass another channel, or drop the record."
            ),
        )
        return [own[self.channel] for own in rows]

    def _check_rate(self, batch: EcgBatch) -> None:
        if self._signature.fs is None and len(batch):
            self._first_rate(batch)
        self._signature.check_rate(batch)

    def _first_rate(self, batch: EcgBatch) -> None:
        """Refuse a first batch of several rates: scales of wavelets are in samples, and mean nothing then."""
        rates = np.asarray(batch.fs, np.float64)
        other = np.abs(rates - rates[0]) > 1e-3 * rates[0]
        refuse(
            batch,
            other,
            lambda i: InputError(
                f"Record {batch.ids[i]!r} has {rates[i]:g} Hz, and record {batch.ids[0]!r} {rates[0]:g} Hz. A hidden "
                "Markov model counts in samples: call resample_signals first."
            ),
        )


def _model(arrays: Mapping[str, Array], covariance: Covariance) -> GaussianHmm:
    start, transitions, means, covariances = (arrays[name] for name in _PARTS)
    return GaussianHmm(start, transitions, means, covariances, covariance)


def _settings(text: str) -> dict[str, Any]:
    """Return the settings that ``_write`` wrote, checked."""
    found = json.loads(text)
    if not isinstance(found["features"], str) or type(found["channel"]) is not int or found["channel"] < 0:
        raise TypeError(f"its settings are {str(found)[:100]}.")
    return {name: found[name] for name in ("features", "channel", "covariance")}


def _refuse_metrics(metrics: Any, kwargs: Mapping[str, Any]) -> None:
    if metrics is not None or kwargs:
        raise ConfigError(
            "A hidden Markov model learns from observations alone, so that there is no metric of targets. Leave out "
            "metrics=; loss is the negative log-likelihood per sample."
        )


def _threads() -> int:
    return os.cpu_count() or 1
