"""Checks that all wavelet actions share."""

from __future__ import annotations

from typing import Any

import pywt

from cardioflow.batch import EcgBatch, Ragged
from cardioflow.errors import InputError, nearest

__all__ = ["check", "source"]


def check(transform: Any, *, kind: str = "discrete") -> None:
    """Check the parameters ``wavelet`` and, where there is one, ``mode``."""
    known = pywt.wavelist(kind=kind)
    # "cmor1.5-1.0" is the family cmor with its parameters behind it.
    families = [name.rstrip("0123456789.-") for name in known] if kind == "continuous" else []
    name = transform.wavelet
    if name not in known and str(name).rstrip("0123456789.-") not in families:
        raise InputError(
            f"{transform.action_name}(wavelet={name!r}): there is no {kind} wavelet of that name. "
            f"{nearest(str(name), known)}"
        )
    mode = getattr(transform, "mode", None)
    if mode is not None and mode not in pywt.Modes.modes:
        raise InputError(f"{transform.action_name}(mode={mode!r}) is unknown. {nearest(str(mode), pywt.Modes.modes)}")


def source(transform: Any, batch: EcgBatch, *, inner: int = 2) -> Ragged:
    """Return the component ``src``, of ``inner`` axes at least."""
    found = batch.component(transform.src)
    if not isinstance(found, Ragged) or found.ndim < inner:
        raise InputError(f"{transform.action_name} cannot read the component {transform.src!r}: {found!r}.")
    return found
