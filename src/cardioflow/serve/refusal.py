"""A request that is refused, with its status and the reason."""

from __future__ import annotations

__all__ = ["RefusalError"]


class RefusalError(Exception):
    """Ends a request; ``status`` is the HTTP status, ``text`` the reason for people."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
