"""Compare the parameters of all actions in one table, and print those that differ from the majority.

``python tools/check_consistency.py`` prints the table of names and the differences, and
fails if ``REASONS`` does not explain one of them.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from cardioflow.registry import actions, steps, transforms

REQUIRED = "required"

# Parameters whose name must end with their unit; the bare word would hide it.
ENDINGS = {
    "_mv": ("amplitude", "std", "flat", "rail"),
    "_s": ("before", "after", "duration", "delay"),
    "_db": ("snr", "decibel"),
}
# Endings that are not used: frequencies are in Hz by convention, as in low, high, fs and frequency.
NEEDLESS = ("_hz", "_samples", "_ms", "_uv", "_sec")
# Integers that are not counts: samples, positions, and the terms of NumPy, SciPy and PyWavelets.
NO_COUNTS = (
    "length", "min_length", "window_size", "step", "start", "stop", "n", "order", "level", "batch_size", "lead"
)  # fmt: skip
# Names used elsewhere for the same thing, with the name used here.
SYNONYMS = {
    "function": "func", "input": "src", "dest": "dst", "output": "dst", "sampling_rate": "fs", "rate": "fs",
    "n_samples": "length", "siglen": "length", "size": "length", "win": "window_size", "pad": "pad_value",
    "fill": "pad_value", "prob": "p", "probability": "p", "filter_order": "order", "random_state": "seed",
}  # fmt: skip

_BANDS = "the bounds of a band in Hz, a range in its own unit or a factor, each with a default for its task"
_METHOD = "each names the methods of its own task"
REASONS = {
    ("default", "low"): _BANDS,
    ("default", "high"): _BANDS,
    ("default", "order"): "band-pass and low-pass are steep, the high-pass of the baseline is gentle",
    ("default", "alpha"): "the papers' own: 0.2 in Zhang et al. (2018), 1 in Yun et al. (2019)",
    ("default", "method"): _METHOD,
    ("default", "src"): "load reads where the data set says, a transform the signals",
    ("default", "wavelet"): "cwt takes continuous wavelets, the others discrete ones",
    ("default", "level"): "pdwt gives one level, wavedec all that fit",
    ("default", "frequency"): "the mains of a notch, and the range of breathing",
    ("default", "amplitude_mv"): "the baseline wanders more than the mains hum",
    ("default", "before_s"): "a beat's class needs its QRS complex, a median beat the P wave too",
    ("default", "after_s"): "a beat's class needs its QRS complex, a median beat the T wave too",
    ("default", "symbols"): "beats of every kind are cut out, and normal ones averaged",
    ("default", "per"): "waves are wanted of each lead and of the record, predictions of the record",
    ("default", "p"): "a nested pipeline is done for every row unless a share is asked for, a dropout is not",
    ("default", "components"): "load and join take what there is, and write_predictions what predict_on_batch names",
    ("default", "dst"): "a transform writes where it read, a measurement to a component of its own name",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of one action."""

    action: str
    name: str
    position: int
    annotation: str
    default: str
    by_keyword: bool


@dataclass(frozen=True)
class Difference:
    """A parameter that differs from others of its kind."""

    rule: str
    name: str
    text: str


def parameters() -> list[Parameter]:
    """Return the parameters of every action of this package."""
    found = []
    for name, place in sorted({**transforms.locations(), **steps.locations()}.items()):
        if not place.startswith("cardioflow."):
            continue
        for position, p in enumerate(inspect.signature(actions.get(name)).parameters.values()):
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            default = REQUIRED if p.default is p.empty else repr(p.default)
            found.append(Parameter(name, p.name, position, str(p.annotation), default, p.kind is p.KEYWORD_ONLY))
    return found


def differences(found: Sequence[Parameter]) -> Iterator[Difference]:
    """Yield the differences from the rules and from the majority."""
    yield from _booleans(found)
    yield from _names(found)
    yield from _defaults(found)
    yield from _orders(found)
    yield from _measurements(found)


def _booleans(found: Sequence[Parameter]) -> Iterator[Difference]:
    for p in found:
        if not p.by_keyword and (p.default in ("True", "False") or p.annotation == "bool"):
            yield Difference("boolean", p.name, f"{p.action}({p.name}={p.default}) is a boolean given by position.")


def _names(found: Sequence[Parameter]) -> Iterator[Difference]:
    for p in found:
        for ending, words in ENDINGS.items():
            if p.name in words:
                yield Difference("unit", p.name, f"{p.action}({p.name}) does not name its unit: {p.name}{ending}.")
        if p.name.endswith(NEEDLESS):
            yield Difference("unit", p.name, f"{p.action}({p.name}): Hz and samples need no ending.")
        if p.name in SYNONYMS:
            yield Difference("name", p.name, f"{p.action}({p.name}) is {SYNONYMS[p.name]} elsewhere.")
        counts = p.annotation in ("int", "int | Mapping[str, int]", "int | None")
        if counts and not p.name.startswith("n_") and p.name not in NO_COUNTS:
            yield Difference("count", p.name, f"{p.action}({p.name}) counts something: n_{p.name}.")
        if p.annotation.startswith("float") and p.default.lstrip("-").isdigit():
            yield Difference("type", p.name, f"{p.action}({p.name}={p.default}) is a float with an integer default.")


def _defaults(found: Sequence[Parameter]) -> Iterator[Difference]:
    by_name: dict[str, list[Parameter]] = defaultdict(list)
    for p in found:
        if p.default != REQUIRED:
            by_name[p.name].append(p)
    for name, same in by_name.items():
        (usual, _), *others = Counter(p.default for p in same).most_common()
        if others:
            differing = ", ".join(f"{p.action}={p.default}" for p in same if p.default != usual)
            yield Difference("default", name, f"{name} is {usual} by default, but {differing}.")


def _orders(found: Sequence[Parameter]) -> Iterator[Difference]:
    by_action: dict[str, list[str]] = defaultdict(list)
    for p in sorted(found, key=lambda p: p.position):
        by_action[p.action].append(p.name)
    pairs: dict[frozenset[str], dict[tuple[str, str], list[str]]] = defaultdict(lambda: defaultdict(list))
    for action, names in by_action.items():
        for first, second in combinations(names, 2):
            pairs[frozenset((first, second))][first, second].append(action)
    for orders in pairs.values():
        if len(orders) > 1:
            usual = max(orders, key=lambda order: len(orders[order]))
            rest = ", ".join(name for order, names in orders.items() if order != usual for name in names)
            yield Difference("order", "/".join(usual), f"{usual[0]} stands before {usual[1]}, but not in {rest}.")


def _measurements(found: Sequence[Parameter]) -> Iterator[Difference]:
    defaults: dict[str, dict[str, Any]] = defaultdict(dict)
    for p in found:
        defaults[p.action][p.name] = p.default
    for name in measuring():
        default = defaults[name].get("dst")
        if default in (None, REQUIRED, "'signal'", "'meta'"):
            yield Difference("measurement", "dst", f"{name} does not write to a component dst with a name of its own.")


def measuring() -> list[str]:
    """Return the actions that measure and do not change the signal."""
    places = transforms.locations()
    return [n for n, place in places.items() if place.startswith("cardioflow.transforms.quality.")] + [
        "calc_ecg_parameters"
    ]


def table(found: Sequence[Parameter]) -> str:
    """Return a line per name: how many actions have it, its types and its defaults."""
    by_name: dict[str, list[Parameter]] = defaultdict(list)
    for p in found:
        by_name[p.name].append(p)
    lines = [f"{'parameter':<16} {'actions':>7}  types; defaults"]
    for name, same in sorted(by_name.items(), key=lambda item: (-len(item[1]), item[0])):
        types = " / ".join(sorted({p.annotation for p in same}))
        defaults = ", ".join(f"{d} ({n})" for d, n in Counter(p.default for p in same).most_common())
        lines.append(f"{name:<16} {len(same):>7}  {types}; {defaults}")
    return "\n".join(lines)


def main() -> None:
    """Print the table and the differences; fail if one of them has no reason."""
    found = parameters()
    print(table(found), end="\n\n")
    without_reason = 0
    for d in differences(found):
        reason = REASONS.get((d.rule, d.name))
        without_reason += reason is None
        print(f"{'differs' if reason is None else 'explained'}: {d.text}" + (f" [{reason}]" if reason else ""))
    if without_reason:
        sys.exit(f"{without_reason} parameters differ without a reason. Rename them, or add the reason to REASONS.")


if __name__ == "__main__":
    main()
