"""Vectors of eight numbers, for recursive kernels, which run in parallel only over signals.

A recursive filter cannot compute several samples of one signal at a time, but
one sample of eight signals. LLVM vectorises loops over samples, not this; so
eight lanes are one LLVM vector here (two AVX2 registers, four on ARM), which
measured more than 3 times the speed of the same filter in scalar code.
"""
# ruff: noqa: ARG001 -- Numba chooses the signature of these functions
# mypy: disable-error-code="import-untyped,no-untyped-call,untyped-decorator,misc"

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

__all__ = ["WIDTH", "add_scaled", "load", "scaled", "store"]

WIDTH: Final = 8
"""How many signals one vector holds."""

# Numba types it as the function that it wraps, but kernels call it without the typing context.
_intrinsic: Any = intrinsic
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"lanes{WIDTH}")


_LANES = _LanesType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def _spread(builder: Any, scalar: Any) -> Any:
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), mask)


def _row(context: Any, builder: Any, array_type: Any, array: Any, row: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    place = builder.gep(data, [builder.mul(row, ir.Constant(row.type, WIDTH))])
    return builder.bitcast(place, _VECTOR.as_pointer())


@_intrinsic
def load(typing: Any, rows: Any, i: Any) -> Any:
    """Return row ``i`` of a contiguous float64 array, ``WIDTH`` numbers a row, as lanes."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_row(context, builder, signature.args[0], *args), align=8)

    return _LANES(rows, types.intp), code


@_intrinsic
def store(typing: Any, rows: Any, i: Any, lanes: Any) -> Any:
    """Write ``lanes`` to row ``i`` of a contiguous float64 array, ``WIDTH`` numbers a row."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _row(context, builder, signature.args[0], args[0], args[1]), align=8)
        return context.get_dummy_value()

    return types.void(rows, types.intp, _LANES), code


@_intrinsic
def scaled(typing: Any, factor: Any, lanes: Any) -> Any:
    """Return ``factor`` · ``lanes``."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fmul(_spread(builder, args[0]), args[1])

    return _LANES(types.float64, _LANES), code


@_intrinsic
def add_scaled(typing: Any, factor: Any, lanes: Any, to: Any) -> Any:
    """Return ``factor`` · ``lanes`` + ``to``, in one instruction where the processor has it."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.fmul(_spread(builder, args[0]), args[1], flags=("contract",))
        return builder.fadd(product, args[2], flags=("contract",))

    return _LANES(types.float64, _LANES, _LANES), code
