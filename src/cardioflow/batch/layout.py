"""The ways in which the leads of a record are laid out on paper."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["LAYOUTS", "Layout"]

Layout = Literal["auto", "rows", "strips", "3x4", "6x2", "12x1"]
"""Columns of leads beside each other, as in ``"3x4"``; a row for each lead; or strips one below another."""

LAYOUTS: Final = get_args(Layout)
"""All values of ``Layout``."""
