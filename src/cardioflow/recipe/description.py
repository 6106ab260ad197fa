"""What a recipe says: frozen types, checked when they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Final, Literal, final, get_args

from cardioflow.bundle.bundle_card import BundleCard
from cardioflow.bundle.limits_of_use import Limits
from cardioflow.bundle.schema import check, is_count, is_name, is_number, is_share, is_text, is_texts, optional

__all__ = ["DataRecipe", "MemberRecipe", "Recipe"]

Step = str | Mapping[str, Any]

_SCHEDULES: Final = ("constant", "cosine", "one_cycle")
_CALIBRATIONS: Final = ("none", "temperature_scaling", "vector_scaling")
_LEAST_FOLDS: Final = 2
_Stored = Literal["float32", "float16", "int8", "dump"]


@final
@dataclass(frozen=True, kw_only=True)
class DataRecipe:
    """The records, their labels and their folds, from one table.

    Raises:
        DumpError: for an entry of another type.
    """

    table: str
    """A CSV file with a row per record, relative to the recipe."""
    files: str = "{record}.hea"
    """The file of a record below the folder of the data; ``{record}`` stands for what the table says."""
    fmt: str | None = None
    """Its format, by default recognised."""
    record: str = "record"
    """The column of the records' names."""
    label: str = "label"
    fold: str = "fold"
    classes: tuple[str, ...]
    """The labels, in the order of the outputs."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Labels of the table that count as another one; those of neither are left out."""
    train: tuple[int, ...]
    """The folds that are trained on, each left out once."""
    test: tuple[int, ...] = ()
    """The folds that only score, and only with ``--score``."""

    def __post_init__(self) -> None:
        folds = (lambda v: isinstance(v, tuple) and all(map(is_count, v)), "a list of whole numbers")
        check(
            self,
            {
                **dict.fromkeys(("table", "record", "label", "fold"), (is_text, "a text")),
                "files": (_is_pattern, "a text with {record}, such as '{record}.hea'"),
                "fmt": (optional(is_name), "the name of a format, or null"),
                "classes": (lambda v: is_texts(v) and len(set(v)) == len(v) > 1, "a list of at least two labels"),
                "renamed": (
                    # A label that is renamed to another name than those of the classes would be left out in silence.
                    lambda v: isinstance(v, Mapping) and set(v.values()) <= set(self.classes),
                    "one of the classes for each label",
                ),
                "train": (
                    lambda v: folds[0](v) and len(set(v)) == len(v) >= _LEAST_FOLDS,
                    "a list of at least two different folds",
                ),
                "test": (lambda v: folds[0](v) and not set(v) & set(self.train), "folds that are not trained on"),
            },
        )


@final
@dataclass(frozen=True, kw_only=True)
class MemberRecipe:
    """A model, its preparation, and how it is trained.

    Raises:
        DumpError: for an entry of another type.
    """

    name: str
    model: str
    """A model of the zoo."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Its settings."""
    prepare: tuple[Step, ...]
    """What makes the model's input of a record, in training and in prediction; kept from the first epoch on."""
    augment: tuple[Step, ...] = ()
    """What follows in training; labels are binarized before it, unless ``binarize_labels`` is among the steps."""
    cut: tuple[Step, ...] = ()
    """What follows in prediction."""
    component: str = "signal"
    """What the model takes from a batch."""
    epochs: int = 1
    batch_size: int = 64
    learning_rate: Mapping[str, float] = field(default_factory=dict)
    """One schedule with its peak, such as ``{"one_cycle": 0.002}``; without one the optimizer keeps its own rate."""
    weight_average: float | None = None
    """The decay of the running mean of the weights."""
    evaluate_every: int = 0
    """After how many epochs the left-out fold is scored; 0 for the end only."""
    seed: int = 0
    activation: str = "none"
    """What makes probabilities of the graph's output: ``"softmax"`` for networks that give logits."""
    stored: _Stored = "float32"
    """The type that the bundle stores large weights as in an ONNX graph; ``"dump"`` stores the model as it was saved,
    and predicting then needs its backend."""
    ensemble: bool = True
    """Whether the bundle has the network of each fold; otherwise one model that is trained on all of them."""

    def __post_init__(self) -> None:
        steps = (lambda v: isinstance(v, tuple) and all(isinstance(s, str | Mapping) for s in v), "a list of steps")
        check(
            self,
            {
                "name": (is_name, "a name"),
                "model": (is_name, "the name of a model"),
                "config": (lambda v: isinstance(v, Mapping), "an object"),
                **dict.fromkeys(("prepare", "augment", "cut"), steps),
                "component": (is_text, "the name of a component"),
                "epochs": (lambda v: is_count(v) and v > 0, "a whole number above 0"),
                "batch_size": (lambda v: is_count(v) and v > 0, "a whole number above 0"),
                "learning_rate": (
                    lambda v: isinstance(v, Mapping) and len(v) < 2 and all(map(_is_schedule, v.items())),
                    f"one of {', '.join(_SCHEDULES)} with its highest rate",
                ),
                "weight_average": (optional(lambda v: is_share(v) and 0 < v < 1), "a number between 0 and 1, or null"),
                "evaluate_every": (is_count, "a whole number"),
                "seed": (is_count, "a whole number"),
                "activation": (lambda v: v in ("none", "softmax", "sigmoid"), "'none', 'softmax' or 'sigmoid'"),
                "stored": (lambda v: v in get_args(_Stored), f"one of {', '.join(get_args(_Stored))}"),
                "ensemble": (lambda v: isinstance(v, bool), "true or false"),
            },
        )


@final
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a bundle is trained.

    Raises:
        DumpError: for an entry of another type.
    """

    name: str
    release: str = "1"
    title: str = ""
    data: DataRecipe
    members: tuple[MemberRecipe, ...]
    weights: Mapping[str, float] | None = None
    """The share of each member; ``null`` chooses them on the left-out folds."""
    metric_labels: tuple[str, ...] = ()
    """The labels whose F1 is averaged to the score; by default all."""
    calibration: str = "vector_scaling"
    coverage: float | None = 0.9
    """The share of records whose true label the conformal set holds, per class; ``null`` for no sets."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    leads: tuple[str, ...] | Literal["any"] = "any"
    """The leads that the bundle takes of a record; ``"any"``: all that it has."""
    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a lead, others that are taken where a record lacks it, best first."""
    limits: Limits = field(default_factory=Limits)
    card: BundleCard = field(default_factory=BundleCard)

    def __post_init__(self) -> None:
        check(
            self,
            {
                "name": (is_name, "a name"),
                "release": (is_name, "a name such as '1.0'"),
                "title": (is_text, "a text"),
                "members": (lambda v: isinstance(v, tuple) and v != (), "a list of at least one member"),
                "weights": (optional(lambda v: _are_weights(v, self.members)), "a number from 0 on for each member"),
                "metric_labels": (
                    lambda v: is_texts(v) and set(v) <= set(self.data.classes),
                    f"some of {', '.join(self.data.classes)}",
                ),
                "calibration": (lambda v: v in _CALIBRATIONS, f"one of {', '.join(_CALIBRATIONS)}"),
                "coverage": (optional(lambda v: is_share(v) and 0 < v < 1), "a number between 0 and 1, or null"),
                "meanings": (lambda v: isinstance(v, Mapping) and all(map(is_text, v.values())), "a text for each"),
                "leads": (lambda v: v == "any" or (is_texts(v) and v != ()), "a list of names, or 'any'"),
                "substitutes": (
                    lambda v: isinstance(v, Mapping) and all(map(is_texts, v.values())),
                    "a list of names for each lead",
                ),
            },
        )


def _is_pattern(value: Any) -> bool:
    """Return whether ``value`` is a text with ``{record}`` and no other field."""
    if not is_text(value):
        return False
    try:
        fields = {name for _, name, *_ in Formatter().parse(value) if name is not None}
    except ValueError:
        return False
    return fields == {"record"}


def _is_schedule(entry: tuple[str, Any]) -> bool:
    return entry[0] in _SCHEDULES and is_number(entry[1]) and entry[1] > 0


def _are_weights(value: Any, members: Sequence[MemberRecipe]) -> bool:
    names = {member.name for member in members}
    numbers = isinstance(value, Mapping) and all(is_number(w) and w >= 0 for w in value.values())
    return numbers and set(value) == names and sum(value.values()) > 0
