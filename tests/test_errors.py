"""Every error stands in the tree that the module draws, and says where it happened."""

from __future__ import annotations

import importlib
import multiprocessing
import pickle
import re
from copy import copy, deepcopy
from pathlib import Path
from typing import Any

import pytest

from cardioflow import errors
from cardioflow.errors import (
    BadRecordsError,
    CardioFlowError,
    FormatError,
    InputError,
    MixedRatesError,
    StepError,
    UnknownActionError,
    nearest,
    raise_bad_records,
)


def _all_classes() -> list[type[CardioFlowError]]:
    """Return every error class of the package, those that other modules define for themselves too."""
    source = Path(errors.__file__).parent
    for path in source.rglob("*.py"):
        if path.name != "errors.py" and re.search(
            r"^class \w+\(\w*Error\b", path.read_text("utf-8"), flags=re.MULTILINE
        ):
            module = ".".join(path.relative_to(source.parent).with_suffix("").parts)
            importlib.import_module(module)
    found: list[type[CardioFlowError]] = []
    new: list[type[CardioFlowError]] = [CardioFlowError]
    while new:
        found += [cls for cls in new if cls.__module__.startswith("cardioflow.")]
        new = [child for cls in new for child in cls.__subclasses__()]
    return sorted(set(found), key=lambda cls: cls.__qualname__)


CLASSES = _all_classes()


class _OwnParametersError(InputError):
    """What a user may write: parameters of its own, and not the message first."""

    def __init__(self, *, limit: float) -> None:
        super().__init__(f"Above {limit}.")
        self.limit = limit


def _filled(cls: type[CardioFlowError]) -> CardioFlowError:
    if cls is BadRecordsError:
        first = StepError.of(KeyError("x"), record="A1")
        error: CardioFlowError = BadRecordsError({"A1": first, "A2": FormatError("y", record="A2")})
    elif cls is MixedRatesError:
        error = MixedRatesError("Two rates.", {0: 250.0, 1: 500.0})
    elif cls is _OwnParametersError:
        error = _OwnParametersError(limit=0.5)
    else:
        error = cls("It is short.")
    error.record, error.step = "A1", "3, load()"
    error.add_note("Another record failed too.")
    error.__cause__ = ValueError("twelve bytes")
    return error


def _facts(error: CardioFlowError) -> dict[str, Any]:
    facts = {k: v for k, v in vars(error).items() if k != "reasons"}
    reasons = getattr(error, "reasons", {})
    return {
        "type": type(error),
        "args": error.args,
        "text": str(error),
        "facts": facts,
        "reasons": {name: _facts(own) for name, own in reasons.items()},
    }


def _echo(received: Any, sent: Any) -> None:
    for error in iter(received.get, None):
        try:
            raise error
        except CardioFlowError as caught:
            sent.put(caught)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"(\w+Error)(?: \(|  |$)", errors.__doc__ or "", flags=re.MULTILINE))
    defined = {n for n in errors.__all__ if isinstance(getattr(errors, n), type)}
    assert drawn == defined
    assert errors.__all__ == sorted(errors.__all__)
    assert all(issubclass(getattr(errors, n), CardioFlowError) for n in defined)


def test_record_and_step_stand_at_the_end_unless_the_sentence_names_them() -> None:
    assert (
        str(FormatError("It is short.", record="A1", step="1, load()")) == "It is short. [record 'A1', step 1, load()]"
    )
    assert str(FormatError("'A1' is short.", record="A1")) == "'A1' is short."


def test_every_error_comes_back_whole_from_a_spawned_process() -> None:
    context = multiprocessing.get_context("spawn")
    to_child, from_child = context.Queue(), context.Queue()
    child = context.Process(target=_echo, args=(to_child, from_child))
    child.start()
    try:
        for cls in (*CLASSES, _OwnParametersError):
            error = _filled(cls)
            to_child.put(error)
            again = from_child.get(timeout=60)
            assert _facts(again) == _facts(error), cls.__name__
            assert "ValueError: twelve bytes" in str(again.__cause__), cls.__name__
    finally:
        to_child.put(None)
        child.join(timeout=60)


@pytest.mark.parametrize("cls", [*CLASSES, _OwnParametersError], ids=lambda c: c.__name__)
def test_every_error_can_be_copied(cls: type[CardioFlowError]) -> None:
    error = _filled(cls)
    assert _facts(copy(error)) == _facts(deepcopy(error)) == _facts(error)


def test_the_cause_of_a_step_error_is_kept_as_the_text_of_its_traceback() -> None:
    def broken() -> None:
        raise KeyError("gain")

    try:
        try:
            broken()
        except KeyError as error:
            raise StepError.of(error, what="F(gain)", step="2, standardize()") from error
    except StepError as error:
        caught = error
    assert isinstance(caught.__cause__, KeyError)
    once = pickle.loads(pickle.dumps(caught))
    twice = pickle.loads(pickle.dumps(once))
    for again in (once, twice):
        assert str(again) == "F(gain) raised KeyError: 'gain' [step 2, standardize()]"
        assert "in broken" in str(again.__cause__)
        assert str(again.__cause__).endswith("KeyError: 'gain'")
    assert str(once.__cause__) == str(twice.__cause__)


def test_a_cause_that_does_not_pickle_does_not_stop_the_error() -> None:
    class Local(Exception):  # noqa: N818 -- a class that pickle cannot find
        pass

    again = pickle.loads(pickle.dumps(StepError.of(Local("deep inside"))))
    assert str(again) == "Local: deep inside"
    assert "deep inside" in str(again.__cause__)


def test_the_run_that_an_error_ended_is_not_pickled_with_it() -> None:
    error = InputError("It is flat.", record="A1")
    error.run = lambda: None  # what cannot be pickled, as a run
    again = pickle.loads(pickle.dumps(error))
    assert again.run is None
    assert again.record == "A1"


def test_an_unknown_action_stays_an_attribute_error_after_pickling() -> None:
    again = pickle.loads(pickle.dumps(UnknownActionError("There is no action 'x'.")))
    assert isinstance(again, AttributeError)
    assert str(again) == "There is no action 'x'."


def test_no_bad_record_raises_nothing_one_raises_its_error_and_several_raise_all() -> None:
    raise_bad_records({})
    one = FormatError("It is short.")
    with pytest.raises(FormatError, match=r"^It is short\. \[record 'A1'\]$") as caught:
        raise_bad_records({"A1": one})
    assert caught.value is one
    reasons = {name: FormatError("It is short.") for name in ("A1", "A2", "A3")}
    with pytest.raises(BadRecordsError, match=r"record 'A1'\] \(and 2 more records failed\)$") as several:
        raise_bad_records(reasons)
    assert several.value.reasons == reasons
    assert [error.record for error in reasons.values()] == ["A1", "A2", "A3"]


def test_a_record_that_an_error_names_already_is_kept() -> None:
    with pytest.raises(InputError) as caught:
        raise_bad_records({"A1/2": InputError("It is flat.", record="A1")})
    assert caught.value.record == "A1"


def test_the_first_of_several_names_the_others_once() -> None:
    error = BadRecordsError({f"A{i}": FormatError("x") for i in range(8)})
    assert error.first() is error.first()
    assert error.first().__notes__ == ["7 more records of the batch failed: A1, A2, A3, A4, A5, …"]


def test_bad_records_without_a_record_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one record"):
        BadRecordsError({})


def test_the_nearest_names_or_all_of_few_are_offered() -> None:
    assert nearest("wfbd", ["wfdb", "edf"]) == "Did you mean 'wfdb'?"
    assert nearest("acc", ["accuracy", "jaccard"]) == "Did you mean 'accuracy'?"
    assert nearest("zzz", ["b", "a"]) == "Available: 'a', 'b'."
    assert nearest("zzz", []) == "There are none."
