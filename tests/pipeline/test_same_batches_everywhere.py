"""One pipeline with every random action gives the same batches and predictions wherever its steps run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline, V
from cardioflow.models.base import BaseModel
from cardioflow.registry import transforms
from cardioflow.transforms.base import PartnerTransform, RandomTransform

WAYS: dict[str, dict[str, Any]] = {
    "1 thread": {"threads": 1},
    "4 threads": {"threads": 4},
    "1 process": {"processes": 1},
    "2 processes": {"processes": 2},
    "automatic": {"workers": "auto"},
    "Ray": {"engine": "ray"},
}
"""Arguments of ``run``; each gives what ``threads=0`` gives."""

OPTIONS: dict[str, Any] = {"batch_size": 5, "shuffle": True, "seed": 4, "n_epochs": 2}

APART = {"get_triplets": "its segments are those of other records, which the steps behind do not take"}


class Projection(BaseModel):
    """Predicts the mean of each row against fixed waves: deterministic, and sensitive to every sample."""

    def load(self, path: Any) -> Projection:
        raise NotImplementedError

    def save(self, path: Any) -> None:
        raise NotImplementedError

    def train_on_batch(self, batch: Any, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        raise NotImplementedError

    def test_on_batch(self, batch: Any, metrics: Any = None, **kwargs: Any) -> dict[str, float]:
        raise NotImplementedError

    def predict_on_batch(self, batch: Any) -> np.ndarray:
        x = batch.unstack_signals().signal.dense().reshape(-1, 200).astype(np.float64)
        return x @ np.sin(np.arange(200)[:, None] * np.array([0.1, 0.7])) / 200


def random_actions() -> list[str]:
    kinds = (RandomTransform, PartnerTransform)
    return [name for name in transforms.names() if issubclass(transforms.get(name), kinds)]


@pytest.fixture(scope="module")
def records() -> EcgDataset:
    return EcgDataset.simulated(16, fs=100, duration_s=6)


@pytest.fixture(scope="module")
def template() -> Pipeline:
    noise = np.sin(np.arange(2000) ** 1.5)[None] * 0.1
    made: Pipeline = (
        Pipeline()
        .load(fmt="simulated", components=["signal", "meta"])
        .load(components="target")
        .binarize_labels()
        .random_resample_signals("normal", loc=100, scale=5)
        .random_amplitude_scale()
        .random_baseline_wander()
        .random_coloured_noise()
        .random_gaussian_noise()
        .random_powerline()
        .random_recorded_noise(noise, 100.0)
        .random_time_warp()
        .random_speed(0.9, 1.1)
        .random_crop_signals(400)
        .random_mix_up()
        .random_cut_mix()
        .random_lead_dropout()
        .random_split_signals(200, 2)
        .import_model("m", Projection())
        .init_variable("predictions", [])
        .predict_on_batch("m", save_to=V("predictions", mode="e"))
    )
    return made


def everything(batch: Any) -> dict[str, Any]:
    return {
        "ids": batch.ids,
        "epoch": batch.epoch,
        "signal": batch.signal.data.tobytes(),
        "shapes": batch.signal.shapes.tolist(),
        "target": batch.target.tobytes(),
        "meta": [dict(row) for row in batch.meta],
        "starts": [start.tolist() for start in batch.provenance.segment_start_s],
        "history": batch.history,
        "locations": batch.locations,
    }


def done(records: EcgDataset, template: Pipeline, **options: Any) -> tuple[list[dict[str, Any]], np.ndarray]:
    run = (records >> template).batches(**OPTIONS, **options)
    batches = [everything(batch) for batch in run]
    ids, predictions = zip(*run.get_variable("predictions"), strict=True)
    assert sorted(ids) == sorted(2 * records.ids)
    return [*batches, {"predicted": ids}], np.array(predictions)


@pytest.fixture(scope="module")
def expected(records: EcgDataset, template: Pipeline) -> tuple[list[dict[str, Any]], np.ndarray]:
    return done(records, template, threads=0)


def test_every_random_action_is_in_the_pipeline(template: Pipeline) -> None:
    assert sorted({step.name for step in template.steps} & {*random_actions()} | {*APART}) == sorted(random_actions())


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
def test_the_batches_are_the_same_bit_for_bit(
    records: EcgDataset,
    template: Pipeline,
    expected: tuple[list[dict[str, Any]], np.ndarray],
    options: dict[str, Any],
    request: pytest.FixtureRequest,
) -> None:
    if options.get("engine") == "ray":
        request.getfixturevalue("ray_cluster")
    batches, predictions = done(records, template, **options)
    assert batches == expected[0]
    np.testing.assert_allclose(predictions, expected[1], rtol=0, atol=1e-6)
    assert np.ptp(predictions) > 0.01


def test_triplets_are_the_same_in_processes(records: EcgDataset) -> None:
    made = Pipeline().load(fmt="simulated").load(components="target").get_triplets(2, 300)
    found = [
        [(b.ids, b.signal.data.tobytes()) for b in (records >> made).batches(**OPTIONS, **options)]
        for options in ({"threads": 0}, {"processes": 1})
    ]
    assert found[0] == found[1]
