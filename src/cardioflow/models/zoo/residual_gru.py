"""A residual network with a recurrent layer, for the rhythm of records of half a minute."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Literal, Self

from cardioflow.errors import ConfigError, InputError
from cardioflow.models._onnx.trees import require_onnx
from cardioflow.models.torch import TorchBaseModel
from cardioflow.models.training import Precision, TrainingOptions

# After the adapter, which says how to install PyTorch where it is missing.
import torch  # isort: skip
from torch import Tensor, nn  # isort: skip

from cardioflow.models._torch.state import unwrapped  # isort: skip

__all__ = ["ResidualGru"]

_OPSET: Final = 17


class ResidualGru(TorchBaseModel):
    """A residual network whose features go through a bidirectional GRU, for labels of a rhythm.

    A convolution of 15 samples with stride 2 and stages of residual blocks (He et al. 2016), each of which halves the
    rate; a bidirectional GRU (Cho et al. 2014) over what is left, a few values per beat; attention and maximum over
    time; one linear layer. Made for one lead of 30 s at 100 Hz, as networks of this kind are used on CinC 2017
    (Zihlmann, Perekrestenko and Tschannen, CinC 2017): 551 845 parameters for one lead and four labels. Widths that
    are multiples of 32 are fastest on a CPU. Needs PyTorch.

    Args:
        channels: the width of the first convolution and of each stage.
        kernel: samples of the convolutions in the stages, odd.
        n_blocks: the residual blocks of each stage.
        n_units: the units of the GRU in each direction.
        dropout: the share of features that is dropped before the last layer in training. A third of it is the share of
            channels that is dropped in a block.
        weight_decay: of AdamW.
        clip_norm: the largest norm of all gradients together, ``None`` for none.
        class_weights: a weight for the records of each label.
        precision: ``"bfloat16"`` trains 1.5 times as fast on processors that compute with it.
        leads: ``"any"`` to take any leads in any order. By default those of the first batch, by name.
        units: ``"any"`` to take signals in any unit. By default those of the first batch.

    Raises:
        ConfigError: for fewer than two widths, or a size that is not a whole number above 0.
    """

    def __init__(
        self,
        channels: Sequence[int] = (32, 32, 32, 64, 96, 96),
        kernel: int = 5,
        n_blocks: int = 2,
        *,
        n_units: int = 64,
        dropout: float = 0.3,
        weight_decay: float = 0.02,
        clip_norm: float | None = 1.0,
        class_weights: Mapping[str, float] | None = None,
        precision: Precision = "float32",
        leads: Literal["any"] | None = None,
        units: Literal["any"] | None = None,
    ) -> None:
        super().__init__()
        sizes = {"kernel": kernel, "n_blocks": n_blocks, "n_units": n_units}
        sizes |= {f"channels[{i}]": n for i, n in enumerate(channels)}
        for name, size in sizes.items():
            if not isinstance(size, int) or size < 1:
                raise ConfigError(f"residual_gru({name}={size!r}): expected a whole number above 0.")
        if len(channels) < 2 or kernel % 2 == 0:
            raise ConfigError(
                f"residual_gru(channels={list(channels)}, kernel={kernel}): expected at least two widths and an odd "
                "kernel."
            )
        if not 0 <= dropout < 1:
            raise ConfigError(f"residual_gru(dropout={dropout!r}): expected a share from 0 to below 1.")
        self.leads = leads
        self.units = units
        self.channels = tuple(channels)
        self.kernel = kernel
        self.n_blocks = n_blocks
        self.n_units = n_units
        self.dropout = dropout
        self.weight_decay = weight_decay
        self.training = TrainingOptions(precision=precision, clip_norm=clip_norm, class_weights=class_weights)

    def build(self, input_shape: tuple[int, int], n_classes: int = 2) -> Self:
        """Build the network for signals of ``input_shape``, (lead, time).

        Raises:
            InputError: for signals of fewer samples than the stages divide them by.
        """
        least = 2 ** len(self.channels)
        if input_shape[1] < least:
            raise InputError(
                f"residual_gru got signals of {input_shape[1]} samples, and {len(self.channels)} widths need {least}. "
                "Cut longer segments, or pass fewer channels."
            )
        self.model = _Network(input_shape[0], n_classes, self)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-3, weight_decay=self.weight_decay)
        return self

    def to_onnx(self) -> bytes:
        """Return the trained network as an ONNX model: ``signal`` of any length to ``logits``, in float32.

        By PyTorch's exporter from traces, which has an operator for the GRU; the newer one unrolls it over a fixed
        number of steps.

        Raises:
            ModelError: when the model is not built yet.
            MissingDependencyError: when the package ``onnx`` is not installed.
        """
        self._require_model()
        require_onnx()
        network = copy.deepcopy(unwrapped(self.model)).cpu().float().eval()
        n_leads = network.stem[0][0].in_channels
        # Its types lack the open files that it takes.
        out: Any = io.BytesIO()
        with warnings.catch_warnings():
            # It warns that it is the older one, and of a GRU's state, which is of the batch's size here.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (torch.zeros(2, n_leads, 100 * 2 ** len(self.channels)),),
                out,
                dynamo=False,
                opset_version=_OPSET,
                input_names=["signal"],
                output_names=["logits"],
                dynamic_axes={"signal": {0: "row", 2: "time"}, "logits": {0: "row"}},
            )
        content: bytes = out.getvalue()
        return content


def _convolution(n_in: int, n_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    layer = nn.Conv2d(n_in, n_out, (1, kernel), (1, stride), (0, kernel // 2), bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(n_out))


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.first = _convolution(n_in, n_out, kernel, stride)
        # Whole channels: a mask over all samples would take a fifth of the time of training.
        self.dropout = nn.Dropout2d(dropout)
        self.second = _convolution(n_out, n_out, kernel)
        same = n_in == n_out and stride == 1
        self.skip = nn.Identity() if same else nn.Conv2d(n_in, n_out, 1, (1, stride), bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(torch.relu(self.first(x)))
        return torch.relu(self.second(y) + self.skip(x))


class _Network(nn.Module):
    def __init__(self, n_leads: int, n_classes: int, settings: ResidualGru) -> None:
        super().__init__()
        widths, kernel = settings.channels, settings.kernel
        self.stem = nn.Sequential(_convolution(n_leads, widths[0], 15, 2), nn.ReLU())
        blocks = []
        for n_in, n_out in pairwise(widths):
            blocks.append(_Block(n_in, n_out, kernel, 2, settings.dropout / 3))
            blocks += [_Block(n_out, n_out, kernel, 1, settings.dropout / 3) for _ in range(settings.n_blocks - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.gru = nn.GRU(widths[-1], settings.n_units, bidirectional=True, batch_first=True)
        n = 2 * settings.n_units
        self.attention = nn.Linear(n, 1)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(2 * n, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (record, class) of ``x`` (record, lead, time)."""
        # As an image of one row: in this memory layout PyTorch trains 1.5 times as fast on a CPU.
        x = x[:, :, None].contiguous(memory_format=torch.channels_last)
        x = self.blocks(self.stem(x))[:, :, 0].transpose(1, 2)
        with torch.autocast(x.device.type, enabled=False):
            x, _ = self.gru(x.float())
            weights = torch.softmax(self.attention(x), dim=1)
            pooled = torch.cat([(weights * x).sum(dim=1), x.amax(dim=1)], dim=1)
            out: Tensor = self.head(self.dropout(pooled))
        return out
