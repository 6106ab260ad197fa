"""Batches and what they hold as JSON: the rows that a step holds back, and the batch that a model was built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from cardioflow import errors
from cardioflow.batch.annotation import Annotation
from cardioflow.batch.columns import Column, Events, Static, TimeSeries
from cardioflow.batch.ecg_batch import EcgBatch, Skipped
from cardioflow.batch.meta import Meta
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged
from cardioflow.core.json_values import Form, Misfit, Recurse
from cardioflow.errors import BadRecordsError, CardioFlowError

if TYPE_CHECKING:
    from cardioflow.pipeline.data.dataset import EcgDataset

__all__ = ["batch_forms"]

_COLUMNS = {"static": Static, "time series": TimeSeries, "events": Events}
_ERRORS: Mapping[str, type[CardioFlowError]] = {
    name: own
    for name in errors.__all__
    if isinstance(own := getattr(errors, name), type) and issubclass(own, CardioFlowError)
}
_ATTRIBUTES = ("record", "step", "rates", "reasons", "__notes__")
"""What an error has besides its message."""


def batch_forms(dataset: EcgDataset) -> tuple[Form, ...]:
    """Return the forms of batches of ``dataset``; where their records are read from is looked up there by id."""
    return (
        _batch_form(dataset),
        Form(
            "$ragged",
            (Ragged,),
            lambda value, recurse: {"$ragged": recurse(value.data), "shapes": recurse(value.shapes)},
            lambda form, recurse: Ragged(recurse(form["$ragged"]), recurse(form["shapes"])),
            members=("shapes",),
        ),
        _dataclass_form("$annotation", Annotation),
        _dataclass_form("$provenance", Provenance),
        Form(
            "$meta",
            (Meta,),
            lambda value, recurse: {"$meta": recurse({k: value[k] for k in value.columns}), "n": len(value)},
            lambda form, recurse: Meta(recurse(form["$meta"]), form["n"]),
            members=("n",),
        ),
        Form("$column", (Column,), _encode_column, _decode_column, members=("value",), optional=("is_cut",)),
        Form(
            "$skipped",
            (Skipped,),
            lambda value, recurse: {"$skipped": recurse(list(value))},
            lambda form, recurse: Skipped(*recurse(form["$skipped"])),
        ),
        Form("$error", (CardioFlowError,), _encode_error, _decode_error, members=("args", "state", "cause")),
    )


def _dataclass_form(tag: str, kind: Callable[..., Any]) -> Form:
    def encode(value: Any, recurse: Recurse) -> Mapping[str, Any]:
        return {tag: {f.name: recurse(getattr(value, f.name)) for f in fields(value)}}

    def decode(form: Mapping[str, Any], recurse: Recurse) -> Any:
        return kind(**{name: recurse(own) for name, own in form[tag].items()})

    return Form(tag, (kind,) if isinstance(kind, type) else (), encode, decode)


def _batch_form(dataset: EcgDataset) -> Form:
    names = [f.name for f in fields(EcgBatch) if f.name != "locations"]

    def encode(value: EcgBatch, recurse: Recurse) -> Mapping[str, Any]:
        held: dict[str, Any] = {name: getattr(value, name) for name in names}
        held["columns"] = dict(value.columns)
        return {"$batch": recurse(held), "is_read": value.locations is not None}

    def decode(form: Mapping[str, Any], recurse: Recurse) -> EcgBatch:
        held = recurse(form["$batch"])
        if set(held) != set(names):
            raise Misfit(f"holds the parts {sorted(held)!r:.200}; expected those of a batch")
        made = dataset.batch_class(**held)
        if not form["is_read"]:
            return made
        places = dict(zip(dataset.ids, dataset.locations, strict=True))
        return made.replace(locations=tuple(places[name] for name in made.provenance.record_id))

    return Form("$batch", (EcgBatch,), encode, decode, members=("is_read",))


def _encode_column(column: Column, recurse: Recurse) -> Mapping[str, Any]:
    form = {"$column": column.kind, "value": recurse(column.values)}
    return {**form, "is_cut": column.is_cut} if isinstance(column, TimeSeries) else form


def _decode_column(form: Mapping[str, Any], recurse: Recurse) -> Column:
    value = recurse(form["value"])
    if form["$column"] == "time series":
        return TimeSeries(value, bool(form.get("is_cut", False)))
    made: Column = _COLUMNS[form["$column"]](value)
    return made


def _encode_error(error: CardioFlowError, recurse: Recurse) -> Mapping[str, Any]:
    known = next(own.__name__ for own in type(error).__mro__ if own.__name__ in _ERRORS)
    # As when it is pickled: of the cause, the traceback as text.
    state = error.__reduce__()[2]
    return {
        "$error": known,
        # Some make their message only when it is shown; that of several records follows from those.
        "args": [""] if isinstance(error, BadRecordsError) else [error._message()],
        "state": recurse({name: state[name] for name in _ATTRIBUTES if name in state}),
        "cause": None if "__cause__" not in state else str(state["__cause__"].args[0]),
    }


def _decode_error(form: Mapping[str, Any], recurse: Recurse) -> CardioFlowError:
    kind = _ERRORS[form["$error"]]
    made = errors.restored_error(kind, tuple(recurse(form["args"])), form["cause"])
    for name, value in recurse(form["state"]).items():
        if name in _ATTRIBUTES:
            setattr(made, name, value)
    return made
