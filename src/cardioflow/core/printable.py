"""Texts that come from files, which may hold what a terminal would obey, made safe to print."""

from __future__ import annotations

__all__ = ["escaped"]


def escaped(text: str) -> str:
    r"""Return ``text`` with each character that is not printable written as Python escapes it, such as ``\x1b``."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
