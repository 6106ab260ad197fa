"""The size of a network as its authors published it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

__all__ = ["Published"]


@final
@dataclass(frozen=True)
class Published:
    """The number of parameters in the published configuration, which the settings' defaults are."""

    parameters: int
    input_shape: tuple[int, int]
    """(lead, time)."""
    n_outputs: int
    fs: float
    """The sampling rate, in Hz."""
    counted: Literal["trainable", "all"] = "trainable"
    """Whether the running means of batch normalization are counted too."""
    source: str = ""
    """The paper, as a table cites it."""
    ours_has: int = 0
    """How many parameters our network has more than that, for a reason that its docstring gives."""
