"""The description of a bundle, ``bundle.json``: one frozen type, checked when it is made, read or written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self, final, get_args

from cardioflow.bundle.bundle_card import BundleCard, bundle_card
from cardioflow.bundle.limits_of_use import Limits
from cardioflow.bundle.member_description import MemberDescription, member_description
from cardioflow.bundle.schema import check, entries, is_name, is_number, is_share, is_text, is_texts, optional
from cardioflow.core.limited_json import parse_limited
from cardioflow.errors import DumpError, FormatError

__all__ = ["FORMAT", "VERSION", "BundleDescription", "BundleOutput"]

FORMAT = "cardioflow-bundle"
VERSION = 1

BundleOutput = Literal["exclusive", "independent", "value", "states", "beats", "waves", "quality"]
"""What an answer is: one label, any number of labels, numbers, a class per sample, beats, waves, or how usable
each lead is."""

_MAX_BYTES = 16 * 2**20
_MAX_VALUES = 500_000
_MAX_DEPTH = 40


@final
@dataclass(frozen=True, kw_only=True)
class BundleDescription:
    """All of a bundle but its files.

    Raises:
        DumpError: for an entry of another type or size, which the message names.
    """

    name: str
    release: str = "1"
    """The version of the bundle itself: other weights or other thresholds are another release."""
    title: str = ""
    output: BundleOutput = "exclusive"
    classes: tuple[str, ...] | None = None
    """The labels, in the order of the outputs."""
    meanings: Mapping[str, str] = field(default_factory=dict)
    """What each label stands for."""
    leads: tuple[str, ...] | Literal["any"] = "any"
    """The leads that the members take, in their order; ``"any"``: all leads, whatever their names."""
    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a lead, others that are taken where a record lacks it, best first; an answer notes each that was."""
    units: str = "mV"
    fs: float | None = None
    """Hz, the rate that the members work at; records of other rates are resampled by the preparation."""
    members: tuple[MemberDescription, ...] = ()
    method: str | None = None
    """The name of a method of the package, for bundles that run one instead of models."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The method's parameters."""
    calibration: Mapping[str, Any] | None = None
    """How the members' mean becomes a probability that means what it says: a calibrator of ``cardioflow.calibration``,
    ``json.loads(to_json(calibrator))``."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The probability from which a label is given, where it is not the default."""
    thresholds_chosen: str = ""
    """How the thresholds were chosen."""
    conformal: Mapping[str, Any] | None = None
    """The sets of labels with a stated coverage: ``ConformalSets`` of ``cardioflow.calibration`` in the same form."""
    limits: Limits = field(default_factory=Limits)
    card: BundleCard = field(default_factory=BundleCard)

    def __post_init__(self) -> None:
        check(self, _RULES)
        for name in ("thresholds", "meanings"):
            given = getattr(self, name)
            unknown = sorted(set(given) - set(self.classes or given))
            if unknown:
                raise DumpError(f"Entry {name!r} has the label {unknown[0]!r}, which entry 'classes' does not list.")
        if (self.method is None) == (not self.members):
            which = "both" if self.members else "neither"
            raise DumpError(f"A bundle has members or a method, and this one has {which}.")
        doubled = [m.name for m in self.members]
        if len(set(doubled)) < len(doubled):
            raise DumpError(f"Entry 'members' has two members of one name among {', '.join(doubled)}.")
        if self.members and not sum(m.weight for m in self.members) > 0:
            raise DumpError("Entry 'members' has no member whose weight is above 0.")

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names of the files that the description refers to."""
        return tuple(name for m in self.members for name in (m.onnx, m.dump) if name is not None)

    def to_json(self) -> str:
        """Return the text of ``bundle.json``."""
        entries = asdict(self)
        for member in entries["members"]:
            member["preparation"] = json.loads(member["preparation"])
        return json.dumps({"format": FORMAT, "version": VERSION, **entries}, allow_nan=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return what the text of a ``bundle.json`` holds.

        Raises:
            DumpError: when the text is not a description, or is of another version.
        """
        try:
            found = parse_limited(text, max_bytes=_MAX_BYTES, max_values=_MAX_VALUES, max_depth=_MAX_DEPTH)
        except FormatError as error:
            raise DumpError(str(error)) from None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise DumpError(f'It is not the description of a bundle, whose entry "format" is "{FORMAT}".')
        version = found.get("version")
        if version != VERSION or isinstance(version, bool):
            later = type(version) is int and version > VERSION
            remedy = "Update CardioFlow." if later else "Make the bundle again."
            raise DumpError(f"It is of version {version!r}, and this CardioFlow reads version {VERSION}. {remedy}")
        rest = {name: value for name, value in found.items() if name not in ("format", "version")}
        made: Self = entries(cls, rest, "", {"members": _members, "limits": _limits, "card": bundle_card})
        return made


def _members(raw: Any, where: str) -> tuple[MemberDescription, ...]:
    if not isinstance(raw, list) or len(raw) > 100:
        raise DumpError(f"Entry {where!r} is a {type(raw).__name__}; expected a list of at most 100 members.")
    return tuple(member_description(value, f"{where}[{i}]") for i, value in enumerate(raw))


def _limits(raw: Any, where: str) -> Limits:
    found: Limits = entries(Limits, raw, where)
    return found


def _are_classes(value: Any) -> bool:
    return value is None or (is_texts(value) and len(value) > 0 and len(set(value)) == len(value))


def _are_substitutes(value: Any) -> bool:
    return isinstance(value, Mapping) and all(is_texts(own) for own in value.values())


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


_RULES: dict[str, Any] = {
    "name": (is_name, "a name of at most 64 letters, digits, dots, dashes and underscores"),
    "release": (is_name, "a name such as '1.0'"),
    "title": (is_text, "a text"),
    "output": (lambda v: v in get_args(BundleOutput), f"one of {', '.join(map(repr, get_args(BundleOutput)))}"),
    "classes": (_are_classes, "a list of different texts, or null"),
    "meanings": (lambda v: isinstance(v, Mapping) and all(map(is_text, v.values())), "a text for each label"),
    "leads": (lambda v: v == "any" or (is_texts(v) and v != ()), "a list of names, or 'any'"),
    "substitutes": (_are_substitutes, "a list of names for each lead"),
    "units": (is_text, "a unit"),
    "fs": (optional(lambda v: is_number(v) and v > 0), "a positive number of Hz, or null"),
    "method": (optional(is_name), "the name of a method, or null"),
    "settings": (_is_object, "an object"),
    "calibration": (optional(_is_object), "an object, or null"),
    "thresholds": (
        lambda v: isinstance(v, Mapping) and all(map(is_share, v.values())),
        "a number from 0 to 1 for each label",
    ),
    "thresholds_chosen": (is_text, "a text"),
    "conformal": (optional(_is_object), "an object, or null"),
}
