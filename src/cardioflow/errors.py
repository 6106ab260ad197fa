"""Every error that CardioFlow raises on purpose, as one tree.

::

    CardioFlowError
    ├── FormatError (ValueError)                 a file that cannot be read as its format says
    │   └── MixedRatesError                      leads of different rate, and no choice made
    ├── InputError (ValueError)                  a parameter, a signal or a table that a step cannot take
    │   └── LabelError                           a label that is missing, doubled or unknown
    ├── ConfigError (ValueError)                 a setting that nobody reads, or that two would read
    ├── UnknownNameError (LookupError)           no format, model, metric or variable of that name
    │   └── UnknownActionError (AttributeError)  no action of that name
    ├── DuplicateNameError (ValueError)          two members of one name
    ├── ModelError (RuntimeError)                a model that cannot do what it was asked
    │   └── DumpError                            a path to load that is no dump, or another model's
    ├── NotRunError (RuntimeError)               a template was asked for what only a run has
    ├── EndOfDataError (LookupError)             no batch is left
    ├── MissingDependencyError (ImportError)     an optional package is not installed
    ├── StepError (RuntimeError)                 somebody else's exception inside a step
    └── BadRecordsError (ValueError)             several records of one batch failed, each with its reason

Each also derives from the built-in that a caller would catch. ``record`` and
``step`` say where it happened, and stand at the end of the message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

__all__ = [
    "BadRecordsError",
    "CardioFlowError",
    "ConfigError",
    "DumpError",
    "DuplicateNameError",
    "EndOfDataError",
    "FormatError",
    "InputError",
    "LabelError",
    "MissingDependencyError",
    "MixedRatesError",
    "ModelError",
    "NotRunError",
    "StepError",
    "UnknownActionError",
    "UnknownNameError",
    "nearest",
]


class CardioFlowError(Exception):
    """The root of all errors of this package: what came, what was expected, what to do."""

    def __init__(self, message: str, *, record: str | None = None, step: str | None = None) -> None:
        super().__init__(message)
        self.record = record
        self.step = step

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else ""
        where = []
        # The record is repeated only where the sentence does not already name it.
        if self.record is not None and repr(self.record) not in message:
            where.append(f"record {self.record!r}")
        if self.step is not None:
            where.append(f"step {self.step}")
        return f"{message} [{', '.join(where)}]" if where else message


class FormatError(CardioFlowError, ValueError):
    """A file cannot be read as its format says; the message names file, place and expectation."""


class MixedRatesError(FormatError):
    """Leads of different rate, and no choice made; ``rates`` maps each lead's number to its Hz, as asked for."""

    def __init__(self, message: str, rates: Mapping[int, float] | None = None, *, record: str | None = None) -> None:
        super().__init__(message, record=record)
        self.rates = dict(rates or {})

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the leads of each rate, rising."""
        found = sorted(set(self.rates.values()))
        return tuple(tuple(lead for lead, own in self.rates.items() if own == rate) for rate in found)


class InputError(CardioFlowError, ValueError):
    """A parameter, a signal or a table is not what a step can take."""


class LabelError(InputError):
    """A label is missing, doubled or unknown to the model."""


class ConfigError(CardioFlowError, ValueError):
    """A setting that nobody reads, or that more than one model would read."""


class UnknownNameError(CardioFlowError, LookupError):
    """No format, model, metric or variable of that name; the nearest ones are in the message."""


class UnknownActionError(UnknownNameError, AttributeError):
    """No action of that name; an ``AttributeError`` too, so that ``hasattr`` works."""


class DuplicateNameError(CardioFlowError, ValueError):
    """Two members of one name, which the message both names."""


class ModelError(CardioFlowError, RuntimeError):
    """A model cannot do what it was asked."""


class DumpError(ModelError):
    """A path to load is no dump, or the dump of another model."""


class NotRunError(CardioFlowError, RuntimeError):
    """A template, which has no dataset yet, was asked for what only a run has."""


class EndOfDataError(CardioFlowError, LookupError):
    """No batch is left."""


class MissingDependencyError(CardioFlowError, ImportError):
    """An optional package is not installed; the message holds the command that installs it."""


class StepError(CardioFlowError, RuntimeError):
    """An exception that is not ours, raised inside a step; it is the ``__cause__``."""


class BadRecordsError(CardioFlowError, ValueError):
    """Several records of one batch failed: ``reasons`` maps each record's id to its error."""

    def __init__(self, reasons: Mapping[str, CardioFlowError]) -> None:
        first = next(iter(reasons.values()))
        more = f" (and {len(reasons) - 1} more records failed)" if len(reasons) > 1 else ""
        super().__init__(f"{first}{more}")
        self.reasons = dict(reasons)

    def first(self) -> CardioFlowError:
        """Return the first record's error, which is of the type that callers catch; a note names the others."""
        names = list(self.reasons)
        error = self.reasons[names[0]]
        if len(names) > 1:
            error.add_note(f"{len(names) - 1} more records of the batch failed: {', '.join(names[1:6])}")
        return error

    def __reduce__(self) -> tuple[type, tuple[dict[str, CardioFlowError]]]:
        return type(self), (self.reasons,)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a clause that names what is nearest to ``name`` among ``known``, for an error's end."""
    candidates = sorted(known)
    close = get_close_matches(name, candidates, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(repr(c) for c in close)}?"
    if not candidates:
        return "There are none."
    shown = ", ".join(repr(c) for c in candidates[:12])
    return f"There are: {shown}{', …' if len(candidates) > 12 else ''}."
