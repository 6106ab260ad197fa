"""What to lower when a device runs out of memory, for every backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cardioflow.errors import CardioFlowError, ModelError

__all__ = ["explained_memory"]

_NAMES: Final = ("OutOfMemoryError", "ResourceExhaustedError")
"""Of PyTorch on a GPU, and of TensorFlow."""
_TEXTS: Final = (
    "RESOURCE_EXHAUSTED",
    "can't allocate memory",
    "not enough memory",
    "Failed to allocate memory",
    "Out of memory",
)
"""Of JAX when it compiles, of PyTorch on a CPU, of ONNX Runtime, and of JAX when it computes."""


@contextmanager
def explained_memory(n_records: int, *, training: bool = False) -> Iterator[None]:
    """Say what to lower when the device runs out of memory inside.

    Raises:
        ModelError: instead of the backend's error.
    """
    try:
        yield
    except CardioFlowError:
        raise
    except Exception as error:
        if not _is_memory(error):
            raise
        same = ", and raise accumulate by as much for the same updates" if training else ""
        raise ModelError(
            f"The device ran out of memory with {n_records} records. Lower batch_size{same}; or pass "
            'precision="bfloat16", shorter segments, or a smaller model.'
        ) from error


def _is_memory(error: Exception) -> bool:
    """Return whether ``error`` says that memory is full; no backend is imported to know its types."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return (
        isinstance(error, MemoryError)
        or bool(names & set(_NAMES))
        or (isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS))
    )
