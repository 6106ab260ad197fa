"""Rows of a batch as bytes and back: text for what is small, and arrays as they lie in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.columns import Column, Events, TimeSeries
from cardioflow.batch.columns.static import Static
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.meta import Meta
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged
from cardioflow.core.json_values import Form, JsonCodec, Limits, Misfit, parse
from cardioflow.errors import ConfigError, InputError

__all__ = ["decode", "encode"]

_ALIGNED: Final = 64
_KINDS: Final = "biufcUSMm"
_LIMITS: Final = Limits(characters=1 << 30, values=1 << 28, levels=60)
_FIELDS: Final = tuple(f.name for f in fields(Annotation))

Recurse = Callable[[Any], Any]


def encode(batch: EcgBatch) -> tuple[bytes, list[NDArray[Any]]]:
    """Return the rows of ``batch`` as text, and the arrays that follow it, each at a multiple of 64 bytes.

    Raises:
        ConfigError: naming a component that has no form as text and arrays.
    """
    arrays: list[NDArray[Any]] = []
    codec = _writer(arrays)
    provenance = batch.provenance
    lengths = np.array([len(own) for own in provenance.segment_start_s], np.int64)
    whole: dict[str, Any] = {
        "ids": list(batch.ids),
        "record_id": list(provenance.record_id),
        "key": provenance.key,
        "segment": provenance.segment,
        "n_segments": provenance.n_segments,
        "start_lengths": lengths,
        "starts_s": np.concatenate([np.empty(0), *provenance.segment_start_s]),
        "history": list(batch.history),
        "classes": batch.classes,
    }
    held = {name: getattr(batch, name) for name in ("signal", "annotation", "meta", "target")}
    held |= {f"column {name}": _plain(column) for name, column in batch.columns.items()}
    for name, value in held.items():
        try:
            whole[name] = codec.encode(value)
        except InputError as error:
            raise ConfigError(
                f"cache(): the component {name.removeprefix('column ')!r} cannot be kept in a folder: {error} "
                "Write the step that makes it after cache, or keep records in memory: cache()."
            ) from error
    rest = ("key", "segment", "n_segments", "start_lengths", "starts_s", "classes")
    text = json.dumps({**whole, **{name: codec.encode(whole[name]) for name in rest}}, allow_nan=False)
    return text.encode(), arrays


def decode(text: bytes, content: memoryview, batch_class: type[EcgBatch]) -> EcgBatch:
    """Return the rows that ``encode`` wrote; their arrays are views of ``content``.

    Raises:
        FormatError, KeyError, TypeError, ValueError: when they are not what ``encode`` wrote.
    """
    raw = parse(text, _LIMITS)
    codec = _reader(content)
    whole = {name: codec.decode(value, name) for name, value in raw.items()}
    ends = np.cumsum(whole["start_lengths"])
    provenance = Provenance(
        tuple(whole["record_id"]),
        whole["key"],
        whole["segment"],
        whole["n_segments"],
        tuple(np.split(whole["starts_s"], ends[:-1])) if len(ends) else (),
    )
    columns = {name[7:]: _column(value) for name, value in whole.items() if name.startswith("column ")}
    return batch_class(
        ids=tuple(whole["ids"]),
        signal=whole["signal"],
        annotation=whole["annotation"],
        meta=whole["meta"],
        target=whole["target"],
        classes=whole["classes"],
        columns=columns,
        provenance=provenance,
        history=tuple(whole["history"]),
    )


def _plain(column: Column) -> dict[str, Any]:
    is_cut = isinstance(column, TimeSeries) and column.is_cut
    return {"kind": column.kind, "values": column.values, "is_cut": is_cut}


def _column(plain: Mapping[str, Any]) -> Column:
    values = plain["values"]
    if plain["kind"] == "time series":
        return TimeSeries(values, plain["is_cut"])
    return Events(values) if plain["kind"] == "events" else Static(values)


def _writer(arrays: list[NDArray[Any]]) -> JsonCodec:
    at = 0

    def encode_array(array: NDArray[Any], recurse: Recurse) -> dict[str, Any]:
        nonlocal at
        if array.dtype == object:
            return {"$objects": [recurse(value) for value in array.reshape(-1).tolist()], "shape": list(array.shape)}
        if array.dtype.kind not in _KINDS:
            raise Misfit(f"has the dtype {array.dtype}, which is not kept")
        arrays.append(np.ascontiguousarray(array))
        form = {"$objects": at, "dtype": array.dtype.str, "shape": list(array.shape)}
        at += -(-array.nbytes // _ALIGNED) * _ALIGNED
        return form

    def encode_annotation(marks: Annotation, recurse: Recurse) -> dict[str, Any]:
        return {"$annotation": [recurse(getattr(marks, name)) for name in _FIELDS]}

    forms = (
        Form("$objects", (np.ndarray,), encode_array, _other_way),
        Form("$ragged", (Ragged,), lambda r, go: {"$ragged": [go(r.data), go(r.shapes)]}, _other_way),
        Form("$meta", (Meta,), lambda m, go: {"$meta": {k: go(m[k]) for k in m.columns}, "n": len(m)}, _other_way),
        Form("$annotation", (Annotation,), encode_annotation, _other_way),
    )
    return JsonCodec(forms, limits=_LIMITS)


def _other_way(_form: Any, _recurse: Recurse) -> Any:
    raise Misfit("is written by one codec and read by another")


def _reader(content: memoryview) -> JsonCodec:
    def decode_array(form: Mapping[str, Any], recurse: Recurse) -> NDArray[Any]:
        shape = tuple(form["shape"])
        if "dtype" not in form:
            flat = np.empty(len(form["$objects"]), object)
            for i, value in enumerate(form["$objects"]):
                flat[i] = recurse(value)
            return flat.reshape(shape)
        dtype = np.dtype(form["dtype"])
        if dtype.kind not in _KINDS:
            raise Misfit(f"has the dtype {dtype}")
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(content, dtype, count, form["$objects"]).reshape(shape)

    def decode_ragged(form: Mapping[str, Any], recurse: Recurse) -> Ragged:
        data, shapes = form["$ragged"]
        return Ragged(recurse(data), recurse(shapes))

    def decode_meta(form: Mapping[str, Any], recurse: Recurse) -> Meta:
        return Meta({name: recurse(column) for name, column in form["$meta"].items()}, form["n"])

    def decode_annotation(form: Mapping[str, Any], recurse: Recurse) -> Annotation:
        return Annotation(**{name: recurse(value) for name, value in zip(_FIELDS, form["$annotation"], strict=True)})

    forms = (
        Form("$objects", (), _other_way, decode_array, optional=("dtype", "shape")),
        Form("$ragged", (), _other_way, decode_ragged),
        Form("$meta", (), _other_way, decode_meta, members=("n",)),
        Form("$annotation", (), _other_way, decode_annotation),
    )
    return JsonCodec(forms, limits=_LIMITS)
