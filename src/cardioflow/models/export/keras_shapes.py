"""The operations of ``keras.ops`` that move numbers without changing them, as nodes of ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np

from cardioflow.errors import ModelError
from cardioflow.models.export.graph import Graph
from cardioflow.models.export.keras_ops import OPERATIONS, Value, _axes, _axis, _converts, as_name

__all__ = ["OPERATIONS"]

_LAST = 2**62
"""A slice up to here goes to the end, as ONNX has it."""


@_converts("Reshape")
def _reshape(graph: Graph, op: Any, x: Value) -> Any:
    sizes = list(op.newshape) if isinstance(op.newshape, (tuple, list)) else [op.newshape]
    # 0 copies the size of the input's axis of that number.
    free = [i for i, size in enumerate(sizes) if size is None or size == -1]
    target = [0 if size is None else int(size) for size in sizes]
    if len(free) == 1:
        target[free[0]] = -1
    elif -1 in target and target[0] == -1:
        raise ModelError("Reshape to several free sizes cannot be exported. Build the model for one length.")
    return graph.node("Reshape", x.name, graph.ints(*target))


@_converts("Ravel")
def _ravel(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Reshape", x.name, graph.ints(-1))


@_converts("Transpose")
def _transpose(graph: Graph, op: Any, x: Value) -> Any:
    return graph.node("Transpose", x.name, perm=None if op.axes is None else [_axis(x, a) for a in op.axes])


@_converts("Swapaxes")
def _swapaxes(graph: Graph, op: Any, x: Value) -> Any:
    order = list(range(len(x.shape)))
    one, other = _axis(x, op.axis1), _axis(x, op.axis2)
    order[one], order[other] = other, one
    return graph.node("Transpose", x.name, perm=order)


@_converts("Moveaxis")
def _moveaxis(graph: Graph, op: Any, x: Value) -> Any:
    order = np.moveaxis(np.empty(tuple(range(len(x.shape)))), op.source, op.destination).shape
    return graph.node("Transpose", x.name, perm=list(order))


@_converts("ExpandDims")
def _expand_dims(graph: Graph, op: Any, x: Value) -> Any:
    axes = op.axis if isinstance(op.axis, (tuple, list)) else (op.axis,)
    return graph.node("Unsqueeze", x.name, graph.ints(*axes))


@_converts("Squeeze")
def _squeeze(graph: Graph, op: Any, x: Value) -> Any:
    axes = _axes(x, op.axis) if op.axis is not None else [i for i, size in enumerate(x.shape) if size == 1]
    return graph.node("Squeeze", x.name, graph.ints(*axes))


@_converts("Concatenate")
def _concatenate(graph: Graph, op: Any, xs: list[Any]) -> Any:
    first = next(v for v in xs if isinstance(v, Value))
    return graph.node("Concat", *(as_name(graph, v, first.dtype) for v in xs), axis=_axis(first, op.axis))


@_converts("Stack")
def _stack(graph: Graph, op: Any, x: list[Any]) -> Any:
    first = next(v for v in x if isinstance(v, Value))
    axis = op.axis + len(first.shape) + 1 if op.axis < 0 else op.axis
    each = [graph.node("Unsqueeze", as_name(graph, v, first.dtype), graph.ints(axis)) for v in x]
    return graph.node("Concat", *each, axis=axis)


@_converts("Split")
def _split(graph: Graph, op: Any, x: Value) -> Any:
    axis, sections = _axis(x, op.axis), op.indices_or_sections
    if isinstance(sections, int):
        return graph.node("Split", x.name, n_outputs=sections, axis=axis)
    size = x.shape[axis]
    if size is None:
        raise ModelError("A split of a free axis cannot be exported. Build the model for one length.")
    sizes = np.diff([0, *sections, size]).tolist()
    return graph.node("Split", x.name, graph.ints(*sizes), n_outputs=len(sizes), axis=axis)


@_converts("GetItem")
def _get_item(graph: Graph, op: Any, x: Value, key: Any) -> Any:
    keys = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        n_given = sum(k is not None for k in keys) - 1
        keys[at : at + 1] = [slice(None)] * (len(x.shape) - n_given)
    starts, stops, axes, steps, dropped, added = [], [], [], [], [], []
    axis = at = 0
    for own in keys:
        if own is None:
            added.append(at)
            at += 1
            continue
        if isinstance(own, slice):
            step = 1 if own.step is None else int(own.step)
            starts.append((0 if step > 0 else _LAST) if own.start is None else int(own.start))
            stops.append((_LAST if step > 0 else -_LAST) if own.stop is None else int(own.stop))
            steps.append(step)
            at += 1
        elif isinstance(own, (int, np.integer)):
            starts.append(int(own))
            stops.append(_LAST if own == -1 else int(own) + 1)
            steps.append(1)
            dropped.append(axis)
        else:
            raise ModelError(f"An index that is a {type(own).__name__} cannot be exported. Index with slices.")
        axes.append(axis)
        axis += 1
    y = graph.node("Slice", x.name, *(graph.ints(*v) for v in (starts, stops, axes, steps))) if axes else x.name
    if dropped:
        y = graph.node("Squeeze", y, graph.ints(*dropped))
    return graph.node("Unsqueeze", y, graph.ints(*added)) if added else y


@_converts("Take")
def _take(graph: Graph, op: Any, x: Any, indices: Any) -> Any:
    at = graph.cast(indices.name, "int64") if isinstance(indices, Value) else graph.constant(indices, "int64")
    if op.axis is None:
        return graph.node("Gather", graph.node("Reshape", as_name(graph, x), graph.ints(-1)), at, axis=0)
    return graph.node("Gather", as_name(graph, x), at, axis=int(op.axis))


@_converts("Flip")
def _flip(graph: Graph, op: Any, x: Value) -> Any:
    axes = _axes(x, op.axis)
    n = len(axes)
    ends = ([_LAST] * n, [-_LAST] * n, axes, [-1] * n)
    return graph.node("Slice", x.name, *(graph.ints(*v) for v in ends))


@_converts("Repeat")
def _repeat(graph: Graph, op: Any, x: Value) -> Any:
    if not isinstance(op.repeats, int) or op.axis is None:
        raise ModelError("repeat with several numbers, or without an axis, cannot be exported.")
    axis, n_axes = _axis(x, op.axis), len(x.shape)
    if any(size is None for size in x.shape[axis + 1 :]):
        raise ModelError("repeat before a free axis cannot be exported. Build the model for one length.")
    times = [1] * (n_axes + 1)
    times[axis + 1] = op.repeats
    each = graph.node("Tile", graph.node("Unsqueeze", x.name, graph.ints(axis + 1)), graph.ints(*times))
    after = [int(size) for size in x.shape[axis + 1 :] if size is not None]
    return graph.node("Reshape", each, graph.ints(*[0] * axis, -1, *after))


@_converts("Tile")
def _tile(graph: Graph, op: Any, x: Value) -> Any:
    repeats = op.repeats if isinstance(op.repeats, (tuple, list)) else (op.repeats,)
    return graph.node("Tile", x.name, graph.ints(*[1] * (len(x.shape) - len(repeats)), *repeats))


@_converts("BroadcastTo")
def _broadcast_to(graph: Graph, op: Any, x: Any) -> Any:
    return graph.node(
        "Expand", as_name(graph, x), graph.ints(*(1 if size in (None, -1) else size for size in op.shape))
    )


@_converts("Pad")
def _pad(graph: Graph, op: Any, x: Value, constant_values: Any = None) -> Any:
    modes = {"constant": "constant", "reflect": "reflect", "edge": "edge"}
    if op.mode not in modes:
        raise ModelError(f"Padding with mode {op.mode!r} cannot be exported. Use one of {', '.join(modes)}.")
    widths = np.broadcast_to(np.asarray(op.pad_width, np.int64), (len(x.shape), 2))
    value = graph.constant(0 if constant_values is None else constant_values, x.dtype)
    extra = (value,) if op.mode == "constant" else ()
    return graph.node("Pad", x.name, graph.ints(*widths.T.ravel().tolist()), *extra, mode=modes[op.mode])


@_converts("Resize")
def _resize(graph: Graph, op: Any, images: Value) -> Any:
    """Resize (record, height, width, channel), as UpSampling2D does, by linear interpolation between the samples."""
    cropped = op.crop_to_aspect_ratio or op.pad_to_aspect_ratio
    if op.interpolation != "bilinear" or op.antialias or cropped or op.data_format != "channels_last":
        raise ModelError(
            f"A resize with interpolation={op.interpolation!r} or more than that cannot be exported. Use 'bilinear', "
            "channels last, without antialias and aspect ratios."
        )
    own = images.shape[1:3]
    if None in own or any(size is None for size in op.size):
        raise ModelError("A resize of a free size cannot be exported. Build the model for one length.")
    scales = np.array([1, 1, *(new / (old or 1) for new, old in zip(op.size, own, strict=True))], np.float32)
    x = graph.node("Transpose", images.name, perm=[0, 3, 1, 2])
    y = graph.node("Resize", x, "", graph.constant(scales), mode="linear", coordinate_transformation_mode="half_pixel")
    return graph.node("Transpose", y, perm=[0, 2, 3, 1])
