"""What a bundle was made from, how well it does, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from cardioflow.bundle.schema import check, entries, is_count, is_number, is_text, is_texts, optional

__all__ = ["BundleCard", "DataSource", "Score", "bundle_card"]


@final
@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A set of records that was used to make the bundle.

    Raises:
        DumpError: for an entry of another type.
    """

    name: str
    version: str = ""
    part: str = ""
    """Which records of it, such as ``"folds 0-3 of cinc2017.csv"``."""
    used_for: str = ""
    """Such as ``"training"`` or ``"thresholds"``."""
    n_records: int | None = None
    licence: str = ""
    citation: str = ""
    fingerprint: str = ""
    """A checksum of the records, so that the very data can be recognised."""

    def __post_init__(self) -> None:
        text = (is_text, "a text")
        names = ("name", "version", "part", "used_for", "licence", "citation", "fingerprint")
        check(self, dict.fromkeys(names, text) | {"n_records": (optional(is_count), "a count, or null")})


@final
@dataclass(frozen=True, kw_only=True)
class Score:
    """A figure with its interval.

    Raises:
        DumpError: for an entry of another type.
    """

    metric: str
    value: float
    low: float | None = None
    """The lower end of the 95 % interval."""
    high: float | None = None
    label: str = ""
    """The class that it is of; empty for all."""
    group: str = ""
    """The part of the records that it is of, such as ``"women"``; empty for all."""
    on: str = ""
    """The records that it was measured on."""
    n: int | None = None
    """Their number."""

    def __post_init__(self) -> None:
        number, text = (is_number, "a number"), (is_text, "a text")
        bound = (optional(is_number), "a number, or null")
        names = ("metric", "label", "group", "on")
        check(self, {"value": number, "low": bound, "high": bound, "n": (optional(is_count), "a count, or null")})
        check(self, dict.fromkeys(names, text))

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.metric, self.label, f"({self.group})" if self.group else "")))
        within = "" if self.low is None or self.high is None else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{what} {self.value:.4g}{within}"


@final
@dataclass(frozen=True, kw_only=True)
class BundleCard:
    """The card of a bundle, to be read before it is used.

    Raises:
        DumpError: for an entry of another type.
    """

    intended: str = ""
    """What the bundle is for."""
    not_for: tuple[str, ...] = ()
    """What it is not for."""
    licence: str = ""
    data: tuple[DataSource, ...] = ()
    split: str = ""
    """How records were divided into parts for training and for scores."""
    protocol: str = ""
    """How it was trained and scored."""
    scores: tuple[Score, ...] = ()
    recipe: str = ""
    """The command or the file that makes it again."""
    made: str = ""
    """The date, as ``"2026-11-26"``."""
    notes: str = ""

    def __post_init__(self) -> None:
        text = (is_text, "a text")
        names = ("intended", "licence", "split", "protocol", "recipe", "made", "notes")
        check(self, dict.fromkeys(names, text) | {"not_for": (is_texts, "a list of texts")})


def bundle_card(raw: Any, where: str) -> BundleCard:
    """Return the card that a JSON text has at ``where``.

    Raises:
        DumpError: naming the entry that is not as expected.
    """
    found: BundleCard = entries(
        BundleCard,
        raw,
        where,
        {"data": _list_of(DataSource), "scores": _list_of(Score)},
    )
    return found


def _list_of(cls: Any) -> Any:
    def make(raw: Any, where: str) -> tuple[Any, ...]:
        own: list[Mapping[str, Any]] = raw if isinstance(raw, list) else [raw]
        return tuple(entries(cls, value, f"{where}[{i}]") for i, value in enumerate(own))

    return make
