"""Functions compiled by Numba at their first call: one set of options, one cache.

``kernel`` makes what Python calls, ``helper`` what kernels call. A kernel is
compiled once for each combination of argument types, and every combination costs
a tenth of a second or more at first use. So kernels take data through
``read_only``, which gives arrays one type, leave allocation to their callers, and
keep reductions and slices, each of which Numba compiles as a function of its own,
to what runs per sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from cardioflow.core.kernel_cache import KernelCache

__all__ = ["helper", "kernel", "read_only"]

F = TypeVar("F", bound=Callable[..., Any])
Flags = bool | set[str]

# Numba's types leave out the options that save compiling unused entry points.
_njit: Any = numba.njit


def kernel(*, fastmath: Flags = False, error_model: str = "python") -> Callable[[F], F]:
    """Return a decorator that compiles a function at its first call, without the GIL, and keeps the machine code.

    Args:
        fastmath: the freedoms of LLVM's arithmetic, as ``numba.njit`` takes them.
        error_model: ``"numpy"`` for a division by zero that gives infinity, ``"python"`` for one that raises.
    """

    def decorate(function: F) -> F:
        dispatcher = _njit(nogil=True, no_cfunc_wrapper=True, fastmath=fastmath, error_model=error_model)(function)
        # Numba's own cache raises where no folder can be written, and does not read one that is read-only.
        dispatcher._cache = KernelCache(function)
        return cast("F", dispatcher)

    return decorate


def helper(*, fastmath: Flags = False, error_model: str = "python") -> Callable[[F], F]:
    """Return a decorator for what kernels alone call: no entry for Python is compiled, and no file is kept."""
    decorate = _njit(
        nogil=True, no_cfunc_wrapper=True, no_cpython_wrapper=True, fastmath=fastmath, error_model=error_model
    )
    return cast("Callable[[F], F]", decorate)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous view of ``array`` that cannot be written, so that kernels see one type for either kind."""
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.ascontiguousarray(array).view()
        array.flags.writeable = False
    return array
