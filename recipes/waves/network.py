"""A small U-Net over time that gives each sample the classes none, P, QRS and T."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn

CHANNELS: Final = (20, 36, 52, 72, 104)
KERNELS: Final = (9, 5, 5, 5, 5)
MULTIPLE: Final = 32
"""The number of samples must be a multiple of this."""


def _block(n_in: int, n_out: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv1d(n_in, n_out, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(n_out), nn.ReLU())


class WaveNet(nn.Module):
    """Five levels at 125 to 7.8 Hz; skip connections are added, which costs half of joining them.

    The deepest level sees 1.8 s to either side by dilation, so that a beat is judged by its neighbours.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(1, CHANNELS[0], 9, stride=2, padding=4, bias=False), nn.BatchNorm1d(CHANNELS[0]), nn.ReLU()
        )
        inputs = (CHANNELS[0], *CHANNELS[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(_block(a, b, k), _block(b, b, k)) for a, b, k in zip(inputs, CHANNELS, KERNELS, strict=True)
        )
        self.context = nn.Sequential(_block(CHANNELS[-1], CHANNELS[-1], 5, 2), _block(CHANNELS[-1], CHANNELS[-1], 5, 4))
        pairs = list(zip(CHANNELS[:-1], CHANNELS[1:], KERNELS, strict=False))
        self.lift = nn.ModuleList(nn.Conv1d(below, own, 1) for own, below, _ in pairs)
        self.up = nn.ModuleList(_block(own, own, k) for own, _, k in pairs)
        self.head = nn.Conv1d(CHANNELS[0], 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (row, 4, time) of ``x`` (row, 1, time)."""
        x = self.stem(x)
        kept = []
        for level, down in enumerate(self.down):
            x = down(x if level == 0 else nn.functional.max_pool1d(x, 2))
            kept.append(x)
        x = self.context(x)
        for level in reversed(range(len(self.up))):
            wide = nn.functional.interpolate(self.lift[level](x), scale_factor=2.0, mode="nearest")
            x = self.up[level](wide + kept[level])
        # Each column of the head holds two neighbouring samples.
        y: Tensor = self.head(x)
        return y.reshape(y.shape[0], 4, 2, y.shape[2]).transpose(2, 3).reshape(y.shape[0], 4, y.shape[2] * 2)
