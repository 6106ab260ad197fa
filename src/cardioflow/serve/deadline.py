"""Connections on which no request arrives are answered with 408 and closed."""

from __future__ import annotations

import asyncio
import json
from typing import Any, final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HEADERS_S", "DeadlineProtocol"]

HEADERS_S = 10.0
"""Seconds in which the request line and the headers have to arrive."""


@final
class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, with a deadline for the headers.

    uvicorn waits for the first request of a connection without end, so that a few dozen silent connections would take
    all places.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what arrived, and wait for what is missing of the headers."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._deadline is None and self.conn.trailing_data[0]:
            # The beginning of a further request on the same connection.
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_S, self._too_late)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        body = json.dumps({"detail": f"The headers of the request did not arrive within {HEADERS_S:g} s."}).encode()
        head = "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        self.transport.close()
