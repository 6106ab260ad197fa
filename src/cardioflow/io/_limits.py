"""How much memory a file may ask for, whatever it says of itself."""

from __future__ import annotations

from typing import Final

__all__ = ["MOST_GROWTH", "most_bytes"]

MOST_GROWTH: Final = 20
"""How many times a file's size may be allocated for it."""
_ALWAYS_ALLOWED: Final = 4 << 20


def most_bytes(n_bytes: int) -> int:
    """Return how many bytes may be allocated for a file of ``n_bytes``: 20 times as many, and 4 MiB."""
    return _ALWAYS_ALLOWED + MOST_GROWTH * n_bytes
