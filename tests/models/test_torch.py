"""Plain PyTorch modules in a pipeline: losses, options, dumps, copies."""

from __future__ import annotations

import copy
import pickle
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

import cardioflow as ds
from cardioflow.batch import Ragged
from cardioflow.errors import ConfigError, DumpError, InputError, LabelError, ModelError
from cardioflow.models import TorchBaseModel, TrainingOptions
from cardioflow.models._torch.state import _check
from cardioflow.models.declaration import find, model
from cardioflow.models.learning import FitAtEnd
from cardioflow.models.targets import LabelPerSample, NoTarget, Number, SeveralLabels


def network(n_outputs: int = 2, dropout: float = 0.0, seed: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv1d(1, 8, 25, 4), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(),
        nn.Dropout(dropout), nn.Linear(8, n_outputs),
    )  # fmt: skip


def made(module: nn.Module | None = None, **attributes: Any) -> TorchBaseModel:
    built = TorchBaseModel()
    built.model = module if module is not None else network()
    for name, value in attributes.items():
        setattr(built, name, value)
    return built


@model(mode="dynamic")
def torch_net(batch, config=None):
    n_outputs = 1 if batch.target.ndim == 1 else batch.target.shape[1]
    built = TorchBaseModel()
    built.model = nn.Sequential(nn.Flatten(), nn.Linear(batch.signal[0].size, 8), nn.ReLU(), nn.Dropout(0.5),
                                nn.Linear(8, n_outputs))  # fmt: skip
    return built


def x_of(batch: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(batch.signal.dense()))


def test_loss_metric_and_update_are_those_of_a_plain_loop(make_batch) -> None:
    ours, module = made(), network()
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    for n in (16, 9, 16, 5):
        batch = make_batch(n, seed=n)
        result = ours.train_on_batch(batch, lambda y, p: float((y == p).mean()))
        module.train()
        output = module(x_of(batch))
        loss = functional.cross_entropy(output, torch.from_numpy(batch.target))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert result["loss"] == pytest.approx(loss.item(), rel=1e-6)
        assert result["metric"] == (output.argmax(1).numpy() == batch.target.argmax(1)).mean()
    for mine, theirs in zip(ours.get_weights(), module.state_dict().values(), strict=True):
        np.testing.assert_allclose(mine, theirs.numpy(), rtol=1e-5, atol=1e-7)


def test_predictions_are_probabilities_without_dropout_and_with_saved_statistics(make_batch) -> None:
    built, batch = made(network(dropout=0.5)), make_batch(6)
    built.train_on_batch(batch)
    whole = built.predict_on_batch(batch)
    np.testing.assert_allclose(whole.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(built.predict_on_batch(batch[:2]), whole[:2], atol=1e-6)
    tested = built.test_on_batch(batch)
    assert tested["loss"] == pytest.approx(-np.log((whole * batch.target).sum(1)).mean(), rel=1e-5)


def test_it_learns_a_batch_by_heart(make_batch) -> None:
    built = made()
    built.optimizer = torch.optim.Adam(built.model.parameters(), 0.02)
    for _ in range(40):
        result = built.train_on_batch(make_batch(16), "f1")
    assert result["metric"] == 1.0
    assert result["loss"] < 0.05


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (None, functional.cross_entropy),
        (nn.CrossEntropyLoss(label_smoothing=0.1), lambda o, y: functional.cross_entropy(o, y, label_smoothing=0.1)),
        ("binary_cross_entropy", functional.binary_cross_entropy_with_logits),
        ("mae", lambda o, y: (o - y).abs().mean()),
        ("huber", functional.huber_loss),
        (lambda o, y: ((o - y) ** 4).mean(), lambda o, y: ((o - y) ** 4).mean()),
    ],
)
def test_a_loss_is_given_by_name_or_as_a_function_of_output_and_target(make_batch, loss, expected) -> None:
    batch = make_batch(8)
    built, module = made(loss=loss), network()
    output = module(x_of(batch))
    found = built.train_on_batch(batch)["loss"]
    assert found == pytest.approx(expected(output, torch.from_numpy(batch.target)).item(), rel=1e-5)


def test_the_default_loss_and_the_predictions_follow_what_the_model_learns(make_batch) -> None:
    batch = make_batch(8, several=True)
    several = made(targets=SeveralLabels())
    several.train_on_batch(batch)
    p = several.predict_on_batch(batch)
    assert several.output == "independent"
    logits = several.model.eval()(x_of(batch)).detach()
    np.testing.assert_allclose(p, torch.sigmoid(logits).numpy(), atol=1e-6)

    ages = batch.replace(target=np.linspace(20, 90, 8), classes=None)
    age = made(network(1), targets=Number())
    found = age.train_on_batch(ages, "r2_score")["loss"]
    output = network(1)(x_of(ages)).detach().numpy()
    assert found == pytest.approx(((output[:, 0] - ages.target) ** 2).mean(), rel=1e-5)
    assert age.predict_on_batch(ages).shape == (8, 1)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "binary_cross_entropy"])
def test_an_output_without_the_axis_of_the_target_is_not_compared_with_each_record(make_batch, loss) -> None:
    ages = make_batch(8).replace(target=np.linspace(0, 1, 8), classes=None)
    built = made(nn.Sequential(network(1), nn.Flatten(0)), targets=Number(), loss=loss)
    with pytest.raises(ModelError, match=r"outputs of shape \(8,\) and targets of shape \(8, 1\).*as the targets have"):
        built.train_on_batch(ages)


def test_a_label_per_sample_is_predicted_as_time_by_state(make_batch) -> None:
    batch = make_batch(4, (1, 64))
    states = [np.repeat([0, 1, 2, 1], 16)[None].astype(np.float32) for _ in range(4)]
    batch = batch.with_component("mask", Ragged.from_arrays(states), "time series")
    torch.manual_seed(0)
    built = made(nn.Conv1d(1, 3, 5, padding="same"), targets=LabelPerSample("mask"))
    expected = functional.cross_entropy(built.model(x_of(batch)), torch.from_numpy(np.stack(states)[:, 0].astype(int)))
    assert built.train_on_batch(batch)["loss"] == pytest.approx(expected.item(), rel=1e-5)
    p = built.predict_on_batch(batch)
    assert p.shape == (4, 64, 3)
    np.testing.assert_allclose(p.sum(axis=2), 1, atol=1e-6)


def test_log_probabilities_of_samples_are_predicted_as_time_by_state(make_batch) -> None:
    module = nn.Sequential(nn.Conv1d(1, 3, 5, padding="same"), nn.LogSoftmax(dim=1))
    batch = make_batch(4, (1, 64))
    built = made(module, loss=nn.NLLLoss(), targets=LabelPerSample("mask"))
    p = built.predict_on_batch(batch)
    expected = module(x_of(batch)).exp().transpose(1, 2).detach().numpy()
    np.testing.assert_allclose(p, expected, atol=1e-6)


def test_an_auto_encoder_learns_its_input(make_batch) -> None:
    batch = make_batch(6, (1, 40))
    torch.manual_seed(0)
    built = made(nn.Conv1d(1, 1, 3, padding="same"), targets=NoTarget())
    losses = [built.train_on_batch(batch)["loss"] for _ in range(30)]
    assert losses[-1] < losses[0]
    assert built.predict_on_batch(batch).shape == (6, 1, 40)


def test_a_softmax_before_a_loss_of_logits_is_refused(make_batch) -> None:
    built = made(nn.Sequential(network(), nn.Softmax(dim=1)))
    with pytest.raises(ModelError, match=r"are probabilities, and the loss takes logits\. Remove the softmax"):
        built.train_on_batch(make_batch(4))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"loss": "crossentropy"}, "There is no loss 'crossentropy' for PyTorch.*cross_entropy"),
        ({"loss": 3}, "The loss is a int. Set self.loss to a name"),
        ({"loss": lambda o, y: (o - y) ** 2}, r"is an array of shape \(4, 2\) and not one number"),
        ({"model": network(5)}, r"cannot be computed from outputs of shape \(4, 5\) and targets of shape \(4, 2\)"),
        ({"model": lambda x: x}, r"self\.model is a function and not a torch\.nn\.Module"),
        ({"training": TrainingOptions(device="cuda:77")}, "The device 'cuda:77' cannot be used"),
        (
            {"training": TrainingOptions(precision="float16")},
            'precision="float16": without loss scaling, gradients below',
        ),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(make_batch, change, message) -> None:
    built = made(**change)
    with pytest.raises(ModelError, match=message):
        built.train_on_batch(make_batch(4))


def test_every_training_option_is_taken_or_refused_as_declared(options_are_as_declared) -> None:
    # torch.compile takes half a minute; a test of dumps wraps a module as it does.
    options_are_as_declared(made, left_out=("compile",))


@pytest.mark.parametrize(
    "options",
    [{"precision": "half"}, {"accumulate": 0}, {"clip_norm": -1.0}, {"class_weights": {"A": float("nan")}}],
)
def test_an_option_with_an_impossible_value_is_refused(options) -> None:
    with pytest.raises(ConfigError):
        TrainingOptions(**options)


@pytest.mark.parametrize("rate_of_sgd", [None, 0.1])
def test_two_accumulated_batches_give_the_update_of_their_union(make_batch, rate_of_sgd) -> None:
    """Adam forgives a sum in the place of a mean; stochastic gradient descent does not."""
    whole = make_batch(16)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    at_once, in_two = (made(copy.deepcopy(plain)) for _ in range(2))
    if rate_of_sgd is not None:
        for built in (at_once, in_two):
            built.optimizer = torch.optim.SGD(built.model.parameters(), rate_of_sgd)
    in_two.training = TrainingOptions(accumulate=2)
    at_once.train_on_batch(whole)
    in_two.train_on_batch(whole[:8])
    before = in_two.get_weights()
    assert np.array_equal(before[0], plain.state_dict()["1.weight"].numpy())
    in_two.train_on_batch(whole[8:])
    for mine, theirs in zip(in_two.get_weights(), at_once.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-7)


def test_gradients_of_the_last_batches_of_an_epoch_are_not_lost(make_batch) -> None:
    plain = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    alone, three = made(copy.deepcopy(plain)), made(copy.deepcopy(plain), training=TrainingOptions(accumulate=3))
    alone.train_on_batch(make_batch(8))
    three.train_on_batch(make_batch(8))
    three.end_epoch(0)
    for mine, theirs in zip(three.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-7)


def test_gradients_are_clipped_to_the_norm(make_batch) -> None:
    built = made(nn.Sequential(nn.Flatten(), nn.Linear(400, 2)), training=TrainingOptions(clip_norm=0.01))
    built.optimizer = torch.optim.SGD(built.model.parameters(), 1.0)
    before = built.get_weights()
    built.train_on_batch(make_batch(8))
    moved = np.sqrt(sum(float(((a - b) ** 2).sum()) for a, b in zip(before, built.get_weights(), strict=True)))
    assert moved == pytest.approx(0.01, rel=1e-3)


def test_class_and_sample_weights_multiply_the_loss_of_a_record(make_batch) -> None:
    batch = make_batch(6).with_component("importance", np.array([1, 0, 2, 1, 1, 3], np.float32), "static")
    plain = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    rows = functional.cross_entropy(plain(x_of(batch)), torch.from_numpy(batch.target), reduction="none").detach()
    classes = np.where(batch.target[:, 1] == 1, 5.0, 0.5)
    for options, weights in (
        (TrainingOptions(class_weights={"A": 0.5, "NO": 5.0}), classes),
        (TrainingOptions(sample_weights="importance"), batch.component("importance")),
        (
            TrainingOptions(class_weights={"A": 0.5, "NO": 5.0}, sample_weights="importance"),
            classes * batch.component("importance"),
        ),
    ):
        found = made(copy.deepcopy(plain), training=options).train_on_batch(batch)["loss"]
        assert found == pytest.approx((rows.numpy() * weights).mean(), rel=1e-5)


@pytest.mark.parametrize("options", [{"class_weights": {"A": 5.0, "NO": 1.0}}, {"sample_weights": "w"}])
def test_weights_are_refused_by_a_model_that_learns_at_the_end(make_batch, options) -> None:
    built = made(learning=FitAtEnd("epoch"), training=TrainingOptions(**options))
    with pytest.raises(ConfigError, match="learns at the end from all batches, and class_weights and sample_weights"):
        built.train_on_batch(make_batch(4).with_component("w", np.ones(4), "static"))


def test_weights_that_are_missing_or_impossible_name_the_class_or_the_record(make_batch) -> None:
    batch = make_batch(4)
    with pytest.raises(LabelError, match=r"have no weight for \['NO'\]"):
        made(training=TrainingOptions(class_weights={"A": 1.0})).train_on_batch(batch)
    bad = batch.with_component("w", np.array([1, np.nan, 1, 1], np.float32), "static")
    with pytest.raises(InputError, match="The sample weight of record 'A00001' is nan"):
        made(training=TrainingOptions(sample_weights="w")).train_on_batch(bad)
    own = made(loss=lambda o, y: (o - y).mean(), training=TrainingOptions(class_weights={"A": 1.0, "NO": 2.0}))
    with pytest.raises(ModelError, match="so that records cannot be weighted"):
        own.train_on_batch(batch)


def test_bfloat16_trains_close_to_float32_and_keeps_float32_weights(make_batch) -> None:
    batch = make_batch(16)
    exact, half = made(), made(training=TrainingOptions(precision="bfloat16"))
    for _ in range(5):
        a, b = exact.train_on_batch(batch)["loss"], half.train_on_batch(batch)["loss"]
    assert b == pytest.approx(a, rel=0.05)
    assert {w.dtype for w in half.get_weights()} == {np.dtype("float32"), np.dtype("int64")}
    assert half.predict_on_batch(batch).dtype == np.float32


def test_a_loss_that_is_not_a_number_names_records_and_update_and_changes_no_parameter(make_batch) -> None:
    built, batch = made(), make_batch(3)
    built.train_on_batch(batch)
    built.loss = lambda output, target: (output * float("nan")).mean()
    before = [p.detach().numpy().copy() for p in built.model.parameters()]
    with pytest.raises(ModelError) as error:
        built.train_on_batch(batch)
    assert str(error.value) == (
        "The loss of update 2 of TorchBaseModel is nan, on the records 'A00000', 'A00001', 'A00002'. "
        "Lower the learning rate, clip gradients, or look at these records."
    )
    assert all(np.array_equal(a, b.detach()) for a, b in zip(before, built.model.parameters(), strict=True))


def test_the_learning_rate_of_the_first_group_is_set_and_the_others_keep_their_ratio(make_batch) -> None:
    built = made()
    layers = list(built.model.children())
    built.optimizer = torch.optim.SGD(
        [{"params": layers[-1].parameters(), "lr": 0.1}, {"params": layers[0].parameters(), "lr": 0.01}]
    )
    built.set_learning_rate(0.5)
    assert built.get_learning_rate() == 0.5
    assert built.optimizer.param_groups[1]["lr"] == pytest.approx(0.05)


def test_weights_are_copies_that_can_be_put_back(make_batch) -> None:
    built = made()
    weights = built.get_weights()
    held = [w.copy() for w in weights]
    built.train_on_batch(make_batch(8))
    assert all(np.array_equal(a, b) for a, b in zip(weights, held, strict=True))
    assert not np.array_equal(built.get_weights()[0], held[0])
    built.set_weights(weights)
    assert all(np.array_equal(a, b) for a, b in zip(built.get_weights(), held, strict=True))
    with pytest.raises(ModelError, match=r"TorchBaseModel has \d+ weights, and 1 were given"):
        built.set_weights(weights[:1])


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("n_trained", [0, 2])
def test_a_copied_model_predicts_and_continues_training_with_equal_numbers(make_batch, copied, n_trained) -> None:
    built, batch = made(network(dropout=0.5)), make_batch(8)
    for _ in range(n_trained):
        built.train_on_batch(batch)
    other = copied(built)
    assert np.array_equal(other.predict_on_batch(batch), built.predict_on_batch(batch))
    for _ in range(2):
        assert other.train_on_batch(batch) == built.train_on_batch(batch)
    before = built.predict_on_batch(batch)
    other.train_on_batch(batch)
    assert np.array_equal(built.predict_on_batch(batch), before)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_keeps_the_gradients_that_wait_for_their_update(make_batch, copied) -> None:
    built = made(training=TrainingOptions(accumulate=2))
    built.train_on_batch(make_batch(8, seed=1))
    other = copied(built)
    for each in (built, other):
        each.train_on_batch(make_batch(8, seed=2))
    assert all(np.array_equal(a, b) for a, b in zip(built.get_weights(), other.get_weights(), strict=True))


def test_loading_drops_the_gradients_that_wait_for_their_update(make_batch, tmp_path: Path) -> None:
    built, fresh = (made(training=TrainingOptions(accumulate=2)) for _ in range(2))
    built.save(tmp_path / "dump")
    built.train_on_batch(make_batch(8, seed=1))
    for each in (built, fresh):
        each.load(tmp_path / "dump")
        for seed in (2, 3):
            each.train_on_batch(make_batch(8, seed=seed))
    assert all(np.array_equal(a, b) for a, b in zip(built.get_weights(), fresh.get_weights(), strict=True))


def test_a_loaded_model_continues_as_if_it_had_never_been_saved(make_batch, tmp_path: Path) -> None:
    built, batch = made(network(dropout=0.5)), make_batch(8)
    built.train_on_batch(batch)
    built.save(tmp_path / "dump")
    again = made(network(dropout=0.5, seed=9)).load(tmp_path / "dump")
    assert again.classes == built.classes
    assert np.array_equal(again.predict_on_batch(batch), built.predict_on_batch(batch))
    for _ in range(3):
        assert again.train_on_batch(batch) == built.train_on_batch(batch)


def test_predictions_are_equal_after_loading_in_another_process(make_batch, tmp_path: Path) -> None:
    batch = make_batch(8)
    built = find("torch_net").build(batch, None, {}, seed=4)
    built.train_on_batch(batch)
    built.save(tmp_path / "dump")
    np.save(tmp_path / "x.npy", batch.signal.dense())
    code = f"""
import numpy as np
from pathlib import Path
from torch import nn
from cardioflow.batch import EcgBatch, Ragged
from cardioflow.models import TorchBaseModel
folder = Path({str(tmp_path)!r})
x = np.load(folder / "x.npy")
batch = EcgBatch(ids=tuple(map(str, range(len(x)))), signal=Ragged.from_arrays(list(x)))
model = TorchBaseModel()
model.model = nn.Sequential(nn.Flatten(), nn.Linear(400, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
np.save(folder / "p.npy", model.load(folder / "dump").predict_on_batch(batch.replace(meta=None)))
"""
    code = code.replace(".replace(meta=None)", "")
    built.leads = built.units = "any"
    built.save(tmp_path / "dump")
    subprocess.run([sys.executable, "-c", code], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), built.predict_on_batch(batch), rtol=0, atol=1e-6)


def test_tied_weights_and_compiled_wrappers_are_saved_under_plain_names(make_batch, tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(400, 400), nn.Linear(400, 400)
            self.second.weight = self.first.weight
            self.head = nn.Linear(400, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.tanh(self.second(torch.tanh(self.first(x.flatten(1))))))

    built, batch = made(torch.compile(Tied(), backend="eager")), make_batch(6)
    built.train_on_batch(batch)
    built.save(tmp_path / "dump")
    from cardioflow.models import dump

    header = dump.read_header(tmp_path / "dump")
    with dump.weights(tmp_path / "dump", header) as path, safe_open(path, "np") as file:
        names = {name for name in file.keys() if name.startswith("model/")}  # noqa: SIM118
    assert {"model/first.weight", "model/second.weight", "model/head.bias"} <= names
    assert not any("_orig_mod" in name for name in names)
    loaded = made(Tied()).load(tmp_path / "dump")
    assert loaded.model.first.weight is loaded.model.second.weight
    np.testing.assert_allclose(loaded.predict_on_batch(batch), built.predict_on_batch(batch), atol=1e-6)


def test_a_dump_that_does_not_fit_is_refused_and_changes_nothing(make_batch, tmp_path: Path) -> None:
    built = made()
    built.train_on_batch(make_batch(4))
    built.save(tmp_path / "dump")
    other = made(nn.Sequential(nn.Flatten(), nn.Linear(400, 2)))
    before = other.get_weights()
    with pytest.raises(DumpError, match=r"The dump of TorchBaseModel has 0\.bias, 0\.weight, 1\.num_batches.*, unlike"):
        other.load(tmp_path / "dump")
    with pytest.raises(DumpError, match=r"6\.weight is torch\.float32 of shape \(2, 8\) in the dump"):
        made(network(3)).load(tmp_path / "dump")
    sgd = made()
    sgd.optimizer = torch.optim.SGD([*sgd.model[0].parameters()], 0.1)
    with pytest.raises(DumpError, match="Build the model with the optimizer that it was saved with"):
        sgd.load(tmp_path / "dump")
    with pytest.raises(DumpError, match="holds the weights of a PyTorch model and not its layers"):
        TorchBaseModel().load(tmp_path / "dump")
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights(), strict=True))


def test_in_a_pipeline_the_same_seed_gives_the_same_weights_to_the_bit() -> None:
    records = ds.EcgDataset.simulated(8, rhythms=("SR", "AF"), fs=100, duration_s=4)
    loading = ds.Pipeline().load(components=["signal", "meta"]).load(components="target")
    training = loading.standardize().binarize_labels().train_on_batch("torch_net", metrics="f1")

    def weights(seed: int) -> list[Any]:
        run = (records >> training).run(batch_size=4, n_epochs=3, seed=seed, progress=False)
        return run.get_model("torch_net").get_weights()

    random.seed(7)
    expected = random.random()
    random.seed(7)
    first, again, other = weights(1), weights(1), weights(2)
    assert random.random() == expected
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_run_that_was_killed_goes_on_to_the_same_weights_and_optimizer(resumed, accumulate) -> None:
    def build() -> TorchBaseModel:
        module = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.BatchNorm1d(8), nn.Dropout(0.4), nn.Linear(8, 2))
        built = made(module, optimizer=torch.optim.AdamW(module.parameters(), 0.01))
        # Gradients of two of every three batches wait for the next ones when the run is killed.
        built.training = TrainingOptions(accumulate=accumulate)
        return built

    one, other = resumed(build)
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    states = [m.optimizer.state_dict()["state"] for m in (one, other)]
    for index, entries in states[1].items():
        for key, value in entries.items():
            assert torch.equal(states[0][index][key], value)


def test_a_loss_that_is_not_finite_changes_neither_weights_nor_running_means(make_batch) -> None:
    built, batch = made(loss=lambda o, y: (o * float("nan")).mean()), make_batch(4)
    before = [w.copy() for w in built.get_weights()]
    with pytest.raises(ModelError, match=r"The loss of update 1 of TorchBaseModel is nan, on the records 'A00000'"):
        built.train_on_batch(batch)
    assert all(np.array_equal(a, b) for a, b in zip(built.get_weights(), before, strict=True))


def test_lowering_accumulate_updates_by_the_mean_of_the_batches_that_wait(make_batch) -> None:
    plain = nn.Sequential(nn.Flatten(), nn.Linear(400, 2))
    lowered, three = (made(copy.deepcopy(plain), training=TrainingOptions(accumulate=n)) for n in (4, 3))
    for each in (lowered, three):
        each.optimizer = torch.optim.SGD(each.model.parameters(), 0.1)
        for seed in (1, 2):
            each.train_on_batch(make_batch(8, seed=seed))
    lowered.training = TrainingOptions(accumulate=2)
    for each in (lowered, three):
        each.train_on_batch(make_batch(8, seed=3))
        assert not each._pending
    assert all(np.array_equal(a, b) for a, b in zip(lowered.get_weights(), three.get_weights(), strict=True))


def test_an_optimizer_whose_learning_rate_is_a_tensor_is_saved_and_loaded(make_batch, tmp_path: Path) -> None:
    def with_tensor() -> TorchBaseModel:
        built = made()
        built.optimizer = torch.optim.Adam(built.model.parameters(), torch.tensor(1e-2))
        return built

    built, batch = with_tensor(), make_batch(8)
    built.train_on_batch(batch)
    built.set_learning_rate(3e-3)
    built.save(tmp_path / "dump")
    again = with_tensor().load(tmp_path / "dump")
    assert isinstance(again.optimizer.param_groups[0]["lr"], torch.Tensor)
    assert again.get_learning_rate() == pytest.approx(3e-3)
    assert again.train_on_batch(batch) == built.train_on_batch(batch)


def test_a_full_memory_says_what_to_lower(make_batch) -> None:
    class Hungry(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.empty(2**55).sum() + x

    with pytest.raises(
        ModelError, match=r"ran out of memory with 4 records\. Lower batch_size, and raise accumulate by"
    ):
        made(Hungry(1, 1)).train_on_batch(make_batch(4))
    with pytest.raises(ModelError, match=r"ran out of memory with 4 records\. Lower batch_size; or pass precision="):
        made(Hungry(1, 1)).predict_on_batch(make_batch(4))


@pytest.mark.parametrize(
    ("own", "saved", "text"),
    [
        ("abcd", "", "The dump of M lacks a, b, c, d, unlike this model"),
        ("abcde", "", "The dump of M lacks a, b, c, d, …, unlike this model"),
        ("", "abcde", "The dump of M has a, b, c, d, …, unlike this model"),
    ],
)
def test_at_most_four_weights_that_do_not_fit_are_named(own, saved, text) -> None:
    with pytest.raises(DumpError, match=text):
        _check({name: torch.zeros(1) for name in own}, {name: torch.zeros(1) for name in saved}, "M")
