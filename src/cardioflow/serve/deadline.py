"""Connections that bring no request are answered and closed, and make room for others."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, Final, final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from cardioflow.serve.settings import ServerSettings

__all__ = ["HEADERS_S", "DeadlineProtocol", "connections"]

HEADERS_S = 10.0
"""Seconds in which the request line and the headers have to arrive."""

_LINGER_S: Final = 5.0
"""Seconds in which a refused connection is still read, so that the reason is not lost with it."""

_MARGIN: Final = 64


def connections(settings: ServerSettings) -> int:
    """Return how many connections are kept: those that are needed for the work, and some more."""
    return settings.arriving + settings.workers + settings.queue + _MARGIN


@final
class DeadlineProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn, with a deadline for the headers and room for new connections.

    uvicorn waits for the first request of a connection without end, so that a few dozen silent connections would take
    all places. When there are more connections than ``uvicorn.Config.limit_concurrency`` less a margin, the oldest of
    those that are silent or have their answer is closed.
    """

    _deadline: asyncio.TimerHandle | None = None
    _refused = False
    _since = 0.0

    def connection_made(self, transport: Any) -> None:
        """Start to wait for the first request."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._make_room()
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what arrived, and wait for what is missing of the headers."""
        if self._refused:
            return
        super().data_received(data)
        if self._refused:
            return
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self._deadline is None and self.conn.trailing_data[0]:
            # The beginning of a further request on the same connection.
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to wait."""
        self._stop()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_S, self._too_late)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"The headers of the request did not arrive within {HEADERS_S:g} s.")

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        """Send the reason, and close the connection when the client has read it."""
        self._refused = True
        self._stop()
        body = json.dumps({"detail": text}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # Closed at once, with data of the client on their way, the connection would be reset and the reason lost.
        self._deadline = self.loop.call_later(_LINGER_S, self.transport.close)

    def _make_room(self) -> None:
        others = [
            own for own in self.connections if isinstance(own, DeadlineProtocol) and not own.transport.is_closing()
        ]
        most = (self.limit_concurrency or len(others)) - _MARGIN // 2
        if len(others) <= most:
            return
        spare = [own for own in others if own is not self and (own.cycle is None or own.cycle.response_started)]
        if spare:
            min(spare, key=lambda own: own._since).transport.close()
