"""Parts of a name, of a person or a device, as one text."""

from __future__ import annotations

__all__ = ["join_words"]


def join_words(*parts: str | None) -> str | None:
    """Return what there is of ``parts`` with spaces between, ``None`` where there is nothing.

    >>> join_words("Philips", None, "PageWriter"), join_words(None, "")
    ('Philips PageWriter', None)
    """
    return " ".join(part for part in parts if part) or None
