"""Decorators for functions that Numba compiles at their first call, with common options and a common cache.

``kernel`` is for functions called from Python, ``helper`` for functions called
only by kernels. A kernel is compiled once for each combination of argument types,
which takes a tenth of a second or more at first use. Therefore pass arrays through
``read_only``, which gives them all one type; allocate in the caller; and use
reductions and slices, each of which Numba compiles as a separate function, only
in code that runs per sample.
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

# Numba's type stubs lack the options that avoid compiling unused entry points.
_njit: Any = numba.njit


def kernel(*, fastmath: Flags = False, error_model: str = "python") -> Callable[[F], F]:
    """Return a decorator that compiles a function at its first call, releases the GIL and caches the machine code.

    Args:
        fastmath: the ``fastmath`` option of ``numba.njit``.
        error_model: what a division by zero does: ``"numpy"`` returns infinity, ``"python"`` raises.
    """

    def decorate(function: F) -> F:
        dispatcher = _njit(nogil=True, no_cfunc_wrapper=True, fastmath=fastmath, error_model=error_model)(function)
        # Numba's own cache raises if no folder is writable, and does not read a read-only one.
        dispatcher._cache = KernelCache(function)
        return cast("F", dispatcher)

    return decorate


def helper(*, fastmath: Flags = False, error_model: str = "python") -> Callable[[F], F]:
    """Return a decorator for functions called only by kernels: no Python entry point is compiled or cached."""
    decorate = _njit(
        nogil=True, no_cfunc_wrapper=True, no_cpython_wrapper=True, fastmath=fastmath, error_model=error_model
    )
    return cast("Callable[[F], F]", decorate)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous read-only view of ``array``, so that kernels are compiled for one type only."""
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.ascontiguousarray(array).view()
        array.flags.writeable = False
    return array
