"""How much memory and time the steps of a dump may take, judged from their arguments before any is made."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cardioflow import registry
from cardioflow.errors import DumpError
from cardioflow.pipeline.call import Call

__all__ = ["arguments_of", "check_arguments", "check_cost", "check_raw"]

_NOMINAL_SAMPLES = 10_000
"""A record of 20 s at 500 Hz, from which the size after each step is estimated."""
_NOMINAL_FS = 100.0
"""The lowest sampling rate in use, from which resampling adds most."""
_MAX_SAMPLES = 40_000_000
"""Per lead of the nominal record, after any step: 160 MB."""
_MAX_VALUES = 10_000
"""In one argument: a list of leads, scales or filter weights."""
_MAX_TEXT = 1000

_RANGES: dict[tuple[str, str], tuple[float, float]] = {
    ("band_pass_signals", "order"): (1, 20),
    ("crop_beats", "after_s"): (0, 60),
    ("crop_beats", "before_s"): (0, 60),
    ("fir_filter_signals", "width"): (0.01, 1e6),
    ("high_pass_signals", "order"): (1, 20),
    ("load", "common_fs"): (1, 20_000),
    ("low_pass_signals", "order"): (1, 20),
    ("median_beat", "after_s"): (0, 60),
    ("median_beat", "before_s"): (0, 60),
    ("notch_signals", "n_harmonics"): (1, 100),
    ("notch_signals", "frequency"): (0.1, 1e6),
    ("pdwt", "level"): (1, 30),
    ("random_time_warp", "n_knots"): (1, 1000),
    ("resample_signals", "fs"): (1, 20_000),
    ("wavedec", "level"): (0, 30),
}
"""The least and the most of arguments on which time and memory depend."""

_MAX_NUMBER = 10_000_000
_UNIT = re.compile(r"[^\W\d]{1,30}(/[^\W\d]{1,30})?|%")
"""Units of a dump are names: an expression such as 10**10**10 would be evaluated."""
_POWER = re.compile(r"[*^⁰¹²³⁴-⁹]")


def check_raw(raw: Any) -> None:
    """Refuse what must not reach even the constructors of actions, in a pipeline's JSON values.

    Raises:
        DumpError: for a huge number, or a unit that is a calculation.
    """
    for value in _leaves(raw):
        if isinstance(value, (int, float)) and abs(value) > _MAX_NUMBER:
            shown = str(value) if len(str(value)) < 30 else f"{str(value)[:20]}…"
            raise DumpError(
                f"Its preprocessing has the number {shown}, and numbers up to {_MAX_NUMBER} are taken from a dump."
            )
    steps = raw.get("steps") if isinstance(raw, dict) else None
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and step.get("name") == "convert_units":
            for value in _leaves(step):
                if isinstance(value, str) and _POWER.search(value):
                    raise DumpError(
                        f"Its preprocessing has the unit {value[:30]!r}, and a dump's units are plain names, such as "
                        "'mV'."
                    )


def _leaves(raw: Any) -> Iterator[Any]:
    if isinstance(raw, (list, dict)):
        for value in raw.values() if isinstance(raw, dict) else raw:
            yield from _leaves(value)
    elif not isinstance(raw, bool):
        yield raw


def check_arguments(call: Call) -> None:
    """Refuse arguments of a size or a range that no saved model needs.

    Raises:
        DumpError: naming the step and the argument.
    """
    for name, value in arguments_of(call).items():
        _check_argument(call, name, value)


def check_cost(steps: Sequence[Call]) -> None:
    """Refuse steps that would take more memory or time than preparing a record can need.

    Raises:
        DumpError: naming the step.
    """
    size = float(_NOMINAL_SAMPLES)
    for number, call in enumerate(steps, 1):
        size = _size_after(call, arguments_of(call), size)
        if size > _MAX_SAMPLES:
            raise DumpError(
                f"Its preprocessing would make {size:.3g} samples per lead of a record of {_NOMINAL_SAMPLES} at step "
                f"{number}, {call}; at most {_MAX_SAMPLES:.3g} are made for a dump."
            )


def arguments_of(call: Call) -> dict[str, Any]:
    """Return the arguments by name, defaults included, with those of ``**kwargs`` among them."""
    signature = inspect.signature(registry.actions.get(call.name))
    bound = signature.bind(*call.args, **call.kwargs)
    bound.apply_defaults()
    found = dict(bound.arguments)
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            found.update(found.pop(name))
    return found


def _check_argument(call: Call, name: str, value: Any) -> None:
    n_values, longest = _measure(value)
    if n_values > _MAX_VALUES or longest > _MAX_TEXT:
        what = f"{n_values} values" if n_values > _MAX_VALUES else f"a text of {longest} characters"
        raise DumpError(
            f"Its preprocessing has the step {call}, whose {name} holds {what}; a dump's may hold {_MAX_VALUES} values "
            f"and texts of {_MAX_TEXT} characters."
        )
    low, high = _RANGES.get((call.name, name), (-float("inf"), float("inf")))
    if isinstance(value, (int, float)) and not low <= value <= high:
        raise DumpError(
            f"Its preprocessing has the step {call}, whose {name} is {value:g}; a dump's may be {low:g} to {high:g}."
        )
    if call.name == "convert_units" and not all(map(_UNIT.fullmatch, _texts(value))):
        raise DumpError(f"Its preprocessing has the step {call}, and a dump's units are plain names, such as 'mV'.")


def _measure(value: Any) -> tuple[int, int]:
    """Return how many values there are in ``value``, and the length of its longest text."""
    if isinstance(value, (str, bytes)):
        return 1, len(value)
    if hasattr(value, "size") and hasattr(value, "dtype"):
        return int(value.size), int(value.dtype.itemsize)
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if not isinstance(value, (list, tuple, set, frozenset)):
        return 1, 0
    inner = [_measure(v) for v in value]
    return sum(n for n, _ in inner), max((t for _, t in inner), default=0)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for v in (value.values() if isinstance(value, Mapping) else value) for text in _texts(v)]


# -- the size of a record's lead after a step ------------------------------------------


def _size_after(call: Call, arguments: Mapping[str, Any], size: float) -> float:
    estimate = _SIZES.get(call.name)
    return size if estimate is None else estimate(arguments, size)


def _largest(value: Any) -> float:
    """Return the largest number in ``value``, which is one or a mapping of labels to numbers."""
    numbers = value.values() if isinstance(value, Mapping) else [value]
    return max((abs(float(v)) for v in numbers if v is not None), default=0.0)


def _smallest(value: Any, default: float) -> float:
    numbers = value.values() if isinstance(value, Mapping) else [value]
    return max(1.0, min((abs(float(v)) for v in numbers if v is not None), default=default))


def _after_split(arguments: Mapping[str, Any], size: float) -> float:
    length = float(arguments["length"])
    step = _smallest(arguments["step"], length)
    return max(length, size * max(1.0, length / step))


def _after_resampling(name: str) -> Callable[[Mapping[str, Any], float], float]:
    def after(arguments: Mapping[str, Any], size: float) -> float:
        fs = arguments.get(name)
        return size if fs is None else size * max(1.0, float(fs) / _NOMINAL_FS)

    return after


def _after_spectrogram(arguments: Mapping[str, Any], size: float) -> float:
    length = float(arguments.get("nperseg") or 256)
    overlap = arguments.get("noverlap")
    hop = max(1.0, length - (length // 8 if overlap is None else float(overlap)))
    return size * max(1.0, max(length, float(arguments.get("nfft") or 0)) / hop)


def _after_beats(arguments: Mapping[str, Any], size: float) -> float:
    # Four beats a second, each with its window.
    return size * max(1.0, 4 * (float(arguments["before_s"]) + float(arguments["after_s"])))


_SIZES: dict[str, Callable[[Mapping[str, Any], float], float]] = {
    # Each lead becomes four.
    "append_wave_probabilities": lambda _, size: size * 4,
    "crop_beats": _after_beats,
    "cwt": lambda arguments, size: size * _measure(arguments["scales"])[0],
    "derive_leads": lambda _, size: size * 4,
    "load": _after_resampling("common_fs"),
    "median_beat": _after_beats,
    "pad_signals": lambda arguments, size: max(size, float(arguments["length"])),
    "random_crop_signals": lambda arguments, size: max(size, float(arguments["length"])),
    "random_split_signals": lambda arguments, _: float(arguments["length"]) * _largest(arguments["n_segments"]),
    "repeat_signal": lambda arguments, size: size * _largest(arguments["n_repeats"]),
    "resample_signals": _after_resampling("fs"),
    "spectrogram": _after_spectrogram,
    "split_signals": _after_split,
    "tile": lambda arguments, size: size * _largest(arguments["n_repeats"]),
}
