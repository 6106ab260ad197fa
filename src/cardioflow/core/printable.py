"""Makes texts from files safe to print: they may contain terminal control sequences."""

from __future__ import annotations

__all__ = ["escaped"]


def escaped(text: str) -> str:
    r"""Return ``text`` with each unprintable character replaced by its Python escape, such as ``\x1b``."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
