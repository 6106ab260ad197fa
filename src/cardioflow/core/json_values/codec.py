"""Any of our values to JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

import numpy as np

from cardioflow.core.json_values.arrays import ARRAYS
from cardioflow.core.json_values.containers import CONTAINERS
from cardioflow.core.json_values.form import Form, Misfit, each
from cardioflow.core.json_values.scalars import SCALARS
from cardioflow.core.json_values.text import Limits, is_deeper, parse
from cardioflow.errors import CardioFlowError, FormatError, InputError, nearest

__all__ = ["JsonCodec"]

_AS_THEY_ARE: Final = (type(None), bool, int, str)
_LIMITS: Final = Limits()
_SEQUENCES: Final = (list, tuple, set, frozenset)
_BASES: Final[Mapping[type, Callable[[Any], Any]]] = {int: int, float: float, str: str.__str__, list: list}


@final
class JsonCodec:
    """Writes and reads values; every value comes back equal and of the same type.

    Args:
        forms: The types that are written besides those of the package, first of all.
        plain: For texts that other programs read and write: tuples, sets and
            arrays become JSON arrays, which are read as tuples; NumPy scalars become
            numbers; values without a JSON form are left out; objects with
            unknown tags are data.
        limits: What a text may hold at most.
    """

    def __init__(
        self,
        forms: Sequence[Form] = (),
        *,
        plain: bool = False,
        limits: Limits = _LIMITS,
    ) -> None:
        self._forms = (*forms, *ARRAYS, *SCALARS, *CONTAINERS)
        self._by_tag = {form.tag: form for form in self._forms}
        self._plain = plain
        self._limits = limits

    # -- writing --------------------------------------------------------------

    def to_text(self, value: Any, place: str = "") -> str:
        """Return ``value`` as JSON text, which holds ASCII characters only; ``place`` is as of ``encode``.

        Raises:
            InputError: naming the place of a value that has no JSON form.
        """
        return json.dumps(self.encode(value, place), allow_nan=False, separators=(",", ":"))

    def encode(self, value: Any, place: str = "") -> Any:
        """Return ``value`` as what ``json.dumps`` takes.

        Args:
            value: The value.
            place: Where it belongs, for messages: ``"steps[2].kwargs"``.

        Raises:
            InputError: naming the place of a value that has no JSON form.
        """
        try:
            form = self._encode(value)
        except Misfit as misfit:
            raise InputError(_sentence(place, misfit)) from misfit.__cause__
        except RecursionError:
            too_deep = True
        else:
            too_deep = is_deeper(form, self._limits.levels)
        if too_deep:
            deep = Misfit(f"is nested in more than {self._limits.levels} levels, or holds itself")
            raise InputError(_sentence(place, deep))
        return form

    def _encode(self, value: Any) -> Any:
        kind = type(value)
        if kind in _AS_THEY_ARE or (kind is float and math.isfinite(value)):
            return value
        if kind is list:
            return each(value, self._encode)
        if isinstance(value, Mapping) and all(type(k) is str and not self._is_tag(k) for k in value):
            return self._encode_object(value)
        if self._plain and isinstance(value, np.ndarray | np.generic):
            return self._encode(value.tolist())
        if self._plain and isinstance(value, _SEQUENCES):
            return each(value if isinstance(value, list | tuple) else sorted(value, key=repr), self._encode)
        return self._encode_tagged(value)

    def _encode_tagged(self, value: Any) -> Any:
        for base, as_base in _BASES.items():
            # An enumeration of numbers or texts, for example; NumPy's float64 is a float too.
            if isinstance(value, base) and type(value) is not base and not isinstance(value, np.generic):
                return self._encode(as_base(value))
        for form in self._forms:
            if isinstance(value, form.types):
                return dict(form.encode(value, self._encode))
        raise Misfit(f"is of the type {type(value).__name__}, which has no JSON form")

    def _encode_object(self, value: Mapping[str, Any]) -> dict[str, Any]:
        done = {}
        for key, inner in value.items():
            try:
                done[key] = self._encode(inner)
            except Misfit as misfit:
                if not self._plain:
                    misfit.inside(key)
                    raise
        return done

    def _is_tag(self, key: str) -> bool:
        return key.startswith("$") or key in self._by_tag

    # -- reading --------------------------------------------------------------

    def from_text(self, text: str | bytes) -> Any:
        """Return the value that ``to_text`` wrote.

        Raises:
            FormatError: when the text is not JSON, is too long or nested too deeply; or naming the place of
                what does not hold a value.
        """
        return self.decode(parse(text, self._limits))

    def decode(self, form: Any, place: str = "") -> Any:
        """Return the value of ``form``, which ``parse`` returned.

        Args:
            form: Nested lists and dicts, of limited depth.
            place: Where they stand, for messages: ``"steps[2].kwargs"``.

        Raises:
            FormatError: naming the place of what does not hold a value.
        """
        try:
            return self._decode(form)
        except Misfit as misfit:
            raise FormatError(_sentence(place, misfit)) from misfit.__cause__

    def _decode(self, form: Any) -> Any:
        kind = type(form)
        if kind is list:
            found = each(form, self._decode)
            return tuple(found) if self._plain else found
        if kind is dict:
            for key in form:
                if self._is_tag(key):
                    return self._decode_tagged(form, key)
            return self._decode_object(form)
        return form

    def _decode_object(self, form: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for key, inner in form.items():
            try:
                found[key] = self._decode(inner)
            except Misfit as misfit:
                misfit.inside(key)
                raise
        return found

    def _decode_tagged(self, form: dict[str, Any], tag: str) -> Any:
        own = self._by_tag.get(tag)
        if own is None or not own.fits(form):
            if self._plain:
                return self._decode_object(form)
            if own is None:
                raise Misfit(f"has the unknown tag {tag!r:.40}. {nearest(tag, self._by_tag)}")
            expected = ", ".join((*own.members, *(f"{name} (optional)" for name in own.optional))) or "nothing"
            raise Misfit(f"has the entries {', '.join(form)!r:.80}; expected beside {tag!r}: {expected}")
        try:
            return own.decode(form, self._decode)
        except CardioFlowError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise Misfit(f"does not hold a value for {tag!r}: {error}") from error


def _sentence(place: str, misfit: Misfit) -> str:
    whole = f"{place}{misfit.place}".removeprefix(".")
    problem = misfit.problem if misfit.problem.endswith((".", "?")) else f"{misfit.problem}."
    return f"The value at {whole} {problem}" if whole else f"The value {problem}"
