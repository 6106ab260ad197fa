"""Every error that CardioFlow raises on purpose, as one tree.

::

    CardioFlowError
    ├── FormatError (ValueError)                 a file or a text does not follow its format
    │   └── MixedRatesError                      leads with different sampling rates, and no choice made
    ├── InputError (ValueError)                  a parameter, a signal or a table that a step cannot use
    │   ├── LabelError                           a label that is missing, duplicated or unknown
    │   └── LeakError                            records of a test part that training has seen
    ├── ConfigError (ValueError)                 a setting that no step reads, or that is ambiguous
    ├── UnknownNameError (LookupError)           no format, model, metric or variable has that name
    │   └── UnknownActionError (AttributeError)  no action has that name
    ├── DuplicateNameError (ValueError)          two members have the same name
    ├── ModelError (RuntimeError)                a model that cannot do what was asked
    │   └── DumpError                            a path that does not hold a saved model, or holds another one
    ├── CheckpointError (RuntimeError)           a checkpoint of another run, a damaged one, or a folder in use
    ├── NotRunError (RuntimeError)               a template was asked for something that only a run has
    ├── EndOfDataError (LookupError)             no batches are left
    ├── MissingDependencyError (ImportError)     an optional package is not installed
    ├── StepError (RuntimeError)                 an exception from other code, raised inside a step
    ├── WorkerError (RuntimeError)               a worker process died, could not start, or has no memory to send from
    ├── WriteError (OSError)                     a file cannot be written: a full disk, missing permissions
    └── BadRecordsError (ValueError)             several records of one batch failed, each with its reason

Each class also derives from the built-in exception that a caller would catch.
``record`` and ``step`` say where the error happened and appear at the end of the
message. All of them survive pickling and copying, so that a worker process can
send them to its parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

__all__ = [
    "BadRecordsError",
    "CardioFlowError",
    "CheckpointError",
    "ConfigError",
    "DumpError",
    "DuplicateNameError",
    "EndOfDataError",
    "FormatError",
    "InputError",
    "LabelError",
    "LeakError",
    "MissingDependencyError",
    "MixedRatesError",
    "ModelError",
    "NotRunError",
    "StepError",
    "UnknownActionError",
    "UnknownNameError",
    "WorkerError",
    "WriteError",
    "nearest",
    "raise_bad_records",
    "restored_error",
]


class CardioFlowError(Exception):
    """The root of all errors of this package: what came, what was expected, what to do.

    Args:
        message: The whole sentence.
        record: The id of the record that caused the error, if it was one record.
        step: The step that failed, as ``"3, standardize()"``.
    """

    run: Any = None
    """The run that the error ended, with its variables and models; it is not pickled with the error."""

    def __init__(self, message: str, *, record: str | None = None, step: str | None = None) -> None:
        super().__init__(message)
        self.record = record
        self.step = step

    def _message(self) -> str:
        """Return the message without the record and the step."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        message = self._message()
        where = []
        # The record is added only where the sentence does not already name it.
        if self.record is not None and not _names(message, self.record):
            where.append(f"record {self.record!r}")
        if self.step is not None:
            where.append(f"step {self.step}")
        return f"{message} [{', '.join(where)}]" if where else message

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments, every attribute and the notes; of the cause, its traceback as text."""
        state = {name: value for name, value in self.__dict__.items() if name != "run"}
        if self.__cause__ is not None:
            # The exception itself may not pickle, or may pickle and fail when it is loaded.
            state["__cause__"] = _CauseText.of(self.__cause__)
        # Built without __init__, so that subclasses may have parameters of their own.
        return _new, (type(self), self.args), state


def _names(message: str, record: str) -> bool:
    """Return whether ``message`` names ``record``: in quotes, or plainly if it is a path, which no word is equal to."""
    return repr(record) in message or ("/" in record and record in message)


class _CauseText(Exception):  # noqa: N818 -- stands for any exception
    """The cause of an error that came from another process; prints as the traceback there."""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        # Here and below: imported where something went wrong, because every import of the package would wait for it.
        import traceback

        return error if isinstance(error, cls) else cls("".join(traceback.format_exception(error)).rstrip())

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _new(cls: type[CardioFlowError], args: tuple[Any, ...]) -> CardioFlowError:
    error = cls.__new__(cls, *args)
    # OSError sets them in __init__.
    error.args = args
    return error


def restored_error(cls: type[CardioFlowError], args: tuple[Any, ...], cause: str | None) -> CardioFlowError:
    """Return an error as it is after pickling: with ``args``, and with the traceback of its cause as text."""
    error = _new(cls, args)
    error.record = error.step = None
    if cause is not None:
        error.__cause__ = _CauseText(cause)
    return error


class FormatError(CardioFlowError, ValueError):
    """A file or a text does not follow its format; the message names the file, the place and what was expected."""


class MixedRatesError(FormatError):
    """The leads have different sampling rates, and no choice was made; ``rates`` maps each lead's number to Hz."""

    def __init__(
        self,
        message: str,
        rates: Mapping[int, float] | None = None,
        *,
        record: str | None = None,
        step: str | None = None,
    ) -> None:
        super().__init__(message, record=record, step=step)
        self.rates = dict(rates or {})

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the leads at each rate, lowest rate first."""
        found = sorted(set(self.rates.values()))
        return tuple(tuple(lead for lead, own in self.rates.items() if own == rate) for rate in found)


class InputError(CardioFlowError, ValueError):
    """A step cannot use a parameter, a signal or a table."""


class LabelError(InputError):
    """A label is missing, duplicated or unknown to the model."""


class LeakError(InputError):
    """Parts of a split share patients or signals; the message lists them."""


class ConfigError(CardioFlowError, ValueError):
    """No step reads a setting, or more than one model would read it."""


class UnknownNameError(CardioFlowError, LookupError):
    """No format, model, metric or variable has that name; the message lists the nearest ones."""


class UnknownActionError(UnknownNameError, AttributeError):
    """No action has that name; also an ``AttributeError``, so that ``hasattr`` works."""


class DuplicateNameError(CardioFlowError, ValueError):
    """Two members have the same name; the message names both."""


class ModelError(CardioFlowError, RuntimeError):
    """A model cannot do what was asked."""


class DumpError(ModelError):
    """A path does not hold a saved model, or holds another model."""


class CheckpointError(CardioFlowError, RuntimeError):
    """A run cannot go on from a checkpoint, or cannot write one; the message says what differs or who is in the way."""


class NotRunError(CardioFlowError, RuntimeError):
    """A template, which does not have a dataset yet, was asked for something that only a run has."""


class EndOfDataError(CardioFlowError, LookupError):
    """No batches are left."""


class MissingDependencyError(CardioFlowError, ImportError):
    """An optional package is not installed; the message holds the command that installs it."""


class StepError(CardioFlowError, RuntimeError):
    """Other code raised an exception inside a step: its type and text are in the message, itself in ``__cause__``.

    After pickling, ``__cause__`` holds the traceback as text.
    """

    @classmethod
    def of(cls, error: BaseException, *, what: str = "", record: str | None = None, step: str | None = None) -> Self:
        """Return the error that reports ``error``, with ``error`` as its cause.

        Args:
            error: What was raised.
            what: What raised it, as ``"F(scale)"``; the message then reads ``F(scale) raised KeyError: 'x'``.
            record: The id of the record, if it was one record.
            step: The step in which it was raised.
        """
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        made = cls(f"{what} raised {text}" if what else text, record=record, step=step)
        made.__cause__ = error
        return made


class WorkerError(CardioFlowError, RuntimeError):
    """A worker process died, could not load the steps, or has no shared memory; the message names the records."""


class WriteError(CardioFlowError, OSError):
    """A file or a folder cannot be written; the message names it, the reason and the remedy."""


class BadRecordsError(CardioFlowError, ValueError):
    """Several records of one batch failed: ``reasons`` maps each record's id to its error."""

    def __init__(
        self, reasons: Mapping[str, CardioFlowError], *, record: str | None = None, step: str | None = None
    ) -> None:
        if not reasons:
            raise ValueError("BadRecordsError needs the error of at least one record; got an empty mapping.")
        super().__init__("", record=record, step=step)
        self.reasons = dict(reasons)

    def _message(self) -> str:
        # Made only when shown: the message of a single record may look up its nearest names.
        first = next(iter(self.reasons.values()))
        more = _more_records(len(self.reasons) - 1)
        return f"{first} (and {more} failed)" if more else str(first)

    def first(self) -> CardioFlowError:
        """Return the first record's error, which has the type that callers catch; a note names the others."""
        names = list(self.reasons)
        error = self.reasons[names[0]]
        if len(names) > 1:
            listed = f"{', '.join(names[1:6])}{', …' if len(names) > 6 else ''}"
            note = f"{_more_records(len(names) - 1)} of the batch failed: {listed}"
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)
        return error


def _more_records(n: int) -> str:
    return f"{n} more record{'s' if n > 1 else ''}" if n else ""


def raise_bad_records(reasons: Mapping[str, CardioFlowError]) -> None:
    """Raise the error of every record in ``reasons``, and nothing when it is empty.

    One error is raised as it is, several as one ``BadRecordsError``. Each error
    that does not say which ``record`` it is about gets the id that it is listed under.

    Raises:
        CardioFlowError: the only error in ``reasons``.
        BadRecordsError: when there are several.
    """
    for name, error in reasons.items():
        error.record = error.record or name
    if len(reasons) == 1:
        raise next(iter(reasons.values()))
    if reasons:
        raise BadRecordsError(reasons)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a sentence for the end of a message: the names in ``known`` that are nearest to ``name``."""
    candidates = sorted(known)
    from difflib import get_close_matches

    # "acc" and "specific" are short for one name each, which the measure of difflib would not find.
    begun = [own for own in candidates if len(name) > 2 and own.lower().startswith(name.lower())][:3]
    close = begun or get_close_matches(name, candidates, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(repr(c) for c in close)}?"
    if not candidates:
        return "There are none."
    shown = ", ".join(repr(c) for c in candidates[:12])
    return f"Available: {shown}{', …' if len(candidates) > 12 else ''}."
