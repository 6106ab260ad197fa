"""Frozen parts and learning rates by part of PyTorch modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cardioflow.errors import ConfigError  # noqa: E402 -- torch may be missing
from cardioflow.models import TorchBaseModel, TrainingOptions  # noqa: E402


class Parts(torch.nn.Module):
    """A normalizing encoder and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Sequential(torch.nn.Conv1d(1, 4, 5), torch.nn.BatchNorm1d(4), torch.nn.Tanh())
        self.middle = torch.nn.Conv1d(4, 4, 3)
        self.head = torch.nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.head(torch.tanh(self.middle(self.stem(x))).mean(-1))


def made(optimizer: Any = None, *, module: Any = None, **options: Any) -> TorchBaseModel:
    torch.manual_seed(0)
    built = TorchBaseModel()
    built.model = Parts() if module is None else module
    if optimizer is not None:
        built.optimizer = optimizer(built.model.parameters())
    built.training = TrainingOptions(**options)
    return built


def moves(built: TorchBaseModel, batch: Any) -> dict[str, Any]:
    before = {name: t.clone() for name, t in built.model.state_dict().items()}
    built.train_on_batch(batch)
    return {name: (t - before[name]).numpy() for name, t in built.model.state_dict().items()}


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
        lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
    ],
    ids=["SGD with momentum", "AdamW with weight decay"],
)
def test_each_part_moves_by_its_share_of_the_step(make_batch, optimizer) -> None:
    batch = make_batch(6, (1, 60))
    whole, shares = moves(made(optimizer), batch), moves(made(optimizer, layer_decay=0.5), batch)
    factor = {"stem": 0.25, "middle": 0.5, "head": 1.0}
    for name, full in whole.items():
        if name.endswith(("weight", "bias")):
            np.testing.assert_allclose(shares[name], full * factor[name.split(".")[0]], rtol=1e-3, atol=1e-7)


def test_a_linear_probe_keeps_all_but_the_last_part_and_its_running_means(make_batch) -> None:
    moved = moves(made(freeze="encoder"), make_batch(6, (1, 60)))
    assert {name for name, step in moved.items() if np.any(step)} == {"head.weight", "head.bias"}


def test_parts_inside_a_wrapper_are_found_and_can_be_thawed(make_batch) -> None:
    batch = make_batch(6, (1, 60))
    built = made(module=torch.nn.Sequential(Parts()), freeze=("stem", "head"))
    assert {name.split(".")[1] for name, step in moves(built, batch).items() if np.any(step)} == {"middle"}
    built.training = TrainingOptions(freeze=())
    assert {name.split(".")[1] for name, step in moves(built, batch).items() if np.any(step)} == {
        "stem",
        "middle",
        "head",
    }


def test_a_part_that_does_not_exist_is_refused(make_batch) -> None:
    with pytest.raises(ConfigError, match=r"'tail', which is not a part .* Its parts are stem, middle, head"):
        made(freeze=("tail",)).train_on_batch(make_batch(4, (1, 60)))
