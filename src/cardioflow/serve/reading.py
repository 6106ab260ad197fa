"""The answers of a bundle for uploaded files, as JSON or FHIR."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.json_form import as_json
from cardioflow.bundle.predictions import SkippedRecord
from cardioflow.errors import CardioFlowError
from cardioflow.pipeline.data.dataset import EcgDataset
from cardioflow.report.fhir import diagnostic_report
from cardioflow.serve.refusal import RefusalError

__all__ = ["Answered", "Form", "answers_for", "described", "one_of"]

Form = Literal["json", "fhir"]

_PERSON = ("name", "patient_id", "birth_date", "timestamp")


class Answered(NamedTuple):
    """The answer for an upload."""

    values: dict[str, Any]
    """JSON values."""
    judged: bool


@contextmanager
def one_of(files: Sequence[Path]) -> Iterator[Path]:
    """Give the one ECG in ``files``; errors on it inside become refusals that do not name its folder.

    Raises:
        RefusalError: when there are several, or for an error inside.
    """
    if len(files) != 1:
        raise RefusalError(422, f"There are {len(files)} ECGs in the archive. Send one at a time.")
    try:
        yield files[0]
    except CardioFlowError as error:
        raise RefusalError(422, _without(str(files[0].parent), str(error))) from None
    except MemoryError:
        raise RefusalError(413, "The record does not fit in memory. Send a shorter one.") from None


def answers_for(bundle: Bundle, files: Sequence[Path], form: Form, *, identify: bool) -> Answered:
    """Return what ``bundle`` says of the one ECG in ``files``, as JSON values.

    Without ``identify``, nothing that the file says of the person is read. The names of files are never repeated.

    Raises:
        RefusalError: when the file cannot be read, or its record cannot be processed.
    """
    with one_of(files) as path, warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always", UserWarning)
        batch = EcgDataset({"record": path}).next_batch(1)
        batch = batch.load(components=["signal", "meta"], identify=identify)
        (answer,) = bundle.stream(batch)
    folder = str(path.parent)
    if isinstance(answer, SkippedRecord):
        raise RefusalError(422, _without(folder, answer.reason))
    meta = batch.component("meta")[0]
    person = {name: _plain(meta.get(name)) for name in _PERSON if meta.get(name) is not None} if identify else {}
    if form == "fhir":
        return Answered(diagnostic_report(answer, bundle.description, person), answer.judged)
    found: dict[str, Any] = {
        **as_json(answer),
        "bundle": bundle.description.name,
        "release": bundle.description.release,
    }
    del found["file"]
    found["warnings"] = [_without(folder, str(w.message)) for w in given if w.category is UserWarning]
    return Answered(found | ({"patient": person} if identify else {}), answer.judged)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _without(folder: str, text: str) -> str:
    """Return ``text`` without the folder that the file lay in for a moment."""
    return text.replace(f"{folder}/", "").replace(folder, "")


def described(bundle: Bundle) -> Mapping[str, Any]:
    """Return what a bundle is, for a list of them."""
    own = bundle.description
    return {
        "name": own.name,
        "release": own.release,
        "title": own.title,
        "output": own.output,
        "classes": own.classes,
        "meanings": dict(own.meanings),
        "leads": own.leads,
        "substitutes": dict(own.substitutes),
        "thresholds": dict(own.thresholds),
        "intended": own.card.intended,
        "not_for": own.card.not_for,
    }
