"""Parts of a name, of a person or a device, as one text."""

from __future__ import annotations

__all__ = ["joined"]


def joined(*parts: str | None) -> str | None:
    """Return what there is of ``parts`` with spaces between, ``None`` where there is nothing.

    >>> joined("Philips", None, "PageWriter"), joined(None, "")
    ('Philips PageWriter', None)
    """
    return " ".join(part for part in parts if part) or None
