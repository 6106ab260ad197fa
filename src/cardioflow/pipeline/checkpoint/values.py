"""The values of a run as JSON, with their arrays in a safetensors file beside it. Nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cardioflow.core.json_values import Form, JsonCodec, Limits, Recurse
from cardioflow.core.json_values.arrays import ARRAYS
from cardioflow.errors import CheckpointError, FormatError
from cardioflow.pipeline.checkpoint.batch_forms import batch_forms
from cardioflow.pipeline.predictions import Prediction, SegmentAggregator

if TYPE_CHECKING:
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["compact", "read_values", "write_values"]

_LIMITS: Final = Limits(characters=1 << 30, values=100_000_000, levels=100)
_NATIVE: Final = frozenset("?bBhHiIlLqQefd")
"""The types of numbers that safetensors holds, by NumPy's letters."""


class _Floats(NamedTuple):
    """A list of numbers, such as a loss per batch, that is written as one array."""

    values: tuple[float, ...]


class _Predictions(NamedTuple):
    """A list of predictions of one shape, that is written as one array."""

    values: tuple[Prediction, ...]


def compact(value: Any) -> Any:
    """Return a long list of floats or predictions as what is written in fewer bytes, and anything else as it is."""
    if type(value) is not list or len(value) < 2:
        return value
    if all(type(v) is float for v in value):
        return _Floats(tuple(value))
    if all(type(v) is Prediction and isinstance(v.value, np.ndarray) for v in value):
        kinds = {(v.value.dtype, v.value.shape) for v in value}
        if len(kinds) == 1 and kinds.pop()[0].char in _NATIVE:
            return _Predictions(tuple(value))
    return value


def write_values(value: Any, folder: Path, stem: str, dataset: EcgDataset) -> None:
    """Write ``value`` as ``<stem>.json`` and ``<stem>.safetensors`` in ``folder``.

    Raises:
        InputError: naming the place of a value that cannot be written.
        OSError: when the files cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {}
    text = JsonCodec(_forms(arrays, dataset), limits=_LIMITS).to_text(value)
    try:
        # A file without any array cannot be written.
        save_file({"_": np.zeros(1, np.uint8), **arrays}, folder / f"{stem}.safetensors")
    except SafetensorError as error:
        raise OSError(str(error)) from error
    (folder / f"{stem}.json").write_text(text, encoding="ascii")


def read_values(folder: Path, stem: str, dataset: EcgDataset) -> Any:
    """Return the value that ``write_values`` wrote.

    Raises:
        CheckpointError: when the files do not hold one.
    """
    try:
        arrays = load_file(folder / f"{stem}.safetensors")
        codec = JsonCodec(_forms(arrays, dataset), limits=_LIMITS)
        return codec.from_text((folder / f"{stem}.json").read_bytes())
    except (SafetensorError, FormatError, OSError, KeyError, AttributeError, IndexError) as error:
        raise CheckpointError(
            f"The checkpoint {str(folder)!r} cannot be read: {error} Remove it, to go on from the one before."
        ) from error


def _forms(arrays: dict[str, NDArray[Any]], dataset: EcgDataset) -> tuple[Form, ...]:
    def put(value: NDArray[Any]) -> str:
        key = str(len(arrays))
        arrays[key] = np.array(value, order="C")
        return key

    def encode(value: NDArray[Any], recurse: Recurse) -> Mapping[str, Any]:
        if value.dtype.char in _NATIVE and value.dtype.isnative:
            return {"$tensor": put(value)}
        if value.dtype.kind == "O":
            return {"$objects": [recurse(v) for v in value.reshape(-1)], "shape": list(value.shape)}
        return ARRAYS[0].encode(value, recurse)

    def objects(form: Mapping[str, Any], recurse: Recurse) -> NDArray[Any]:
        found = np.empty(len(form["$objects"]), object)
        for i, own in enumerate(form["$objects"]):
            found[i] = recurse(own)
        return found.reshape(form["shape"])

    def predictions(form: Mapping[str, Any], _: Recurse) -> list[Prediction]:
        values = arrays[form["values"]]
        return [Prediction(str(name), values[i].copy()) for i, name in enumerate(form["$predictions"])]

    return (
        Form("$tensor", (np.ndarray,), encode, lambda form, _: arrays[form["$tensor"]].copy()),
        Form("$objects", (), encode, objects, members=("shape",)),
        Form(
            "$floats",
            (_Floats,),
            lambda value, _: {"$floats": put(np.array(value.values, np.float64))},
            lambda form, _: arrays[form["$floats"]].tolist(),
        ),
        Form(
            "$predictions",
            (_Predictions,),
            lambda value, _: {
                "$predictions": [v.id for v in value.values],
                "values": put(np.stack([v.value for v in value.values])),
            },
            predictions,
            members=("values",),
        ),
        Form(
            "$prediction",
            (Prediction,),
            lambda value, recurse: {"$prediction": value.id, "value": recurse(value.value)},
            lambda form, recurse: Prediction(form["$prediction"], recurse(form["value"])),
            members=("value",),
        ),
        Form(
            "$segments",
            (SegmentAggregator,),
            lambda value, recurse: {"$segments": recurse(value.state())},
            lambda form, recurse: SegmentAggregator.restored(recurse(form["$segments"])),
        ),
        *batch_forms(dataset),
    )
