"""Headers for every response, and a refusal that a client can read while it is still sending."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final, final

from cardioflow.serve.sender import Sender

__all__ = ["Answering"]

_PAUSE_S: Final = 0.05

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@final
class Answering:
    """ASGI middleware that sends a response at once and closes the connection only after what the client still sends.

    A server that closes a connection with unread data resets it, and the client loses the response with the
    connection. Here the whole response goes out first; then the rest of the body is read and forgotten until the
    client closes the connection, for at most ``seconds``. Up to ``most`` bytes are read as fast as they come, then
    slowly, so that a client that only writes has to wait, and then reads.
    """

    def __init__(self, app: Any, *, headers: Mapping[str, str], most: float, seconds: float) -> None:
        self._app = app
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._most = most
        self._seconds = seconds

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, _has_body(scope["headers"]))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *self._headers]
                if not body.ended:
                    headers.append((b"connection", b"close"))
                await send({**message, "headers": headers})
            elif body.ended or message.get("more_body", False):
                await send(message)
            else:
                await send({**message, "more_body": True})
                await body.forget(self._most, self._seconds)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, body.receive, answer)


def _has_body(headers: Any) -> bool:
    given = {bytes(name).lower(): bytes(value) for name, value in headers}
    return b"transfer-encoding" in given or given.get(b"content-length", b"0") != b"0"


class _Body:
    """The body of a request, and whether all of it has arrived."""

    def __init__(self, receive: Receive, present: bool) -> None:  # noqa: FBT001 -- private, and called in one place
        self._receive = receive
        self.ended = not present

    async def receive(self) -> Message:
        """Return the next message from the client."""
        message = await self._receive()
        self.ended = self.ended or message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def forget(self, most: float, seconds: float) -> None:
        """Read what is left for ``seconds``, and slowly after ``most`` bytes."""
        client = Sender(seconds)
        with suppress(TimeoutError):
            while not self.ended:
                if client.size > most:
                    await client.wait_for(asyncio.sleep(_PAUSE_S))
                client.size += len((await client.wait_for(self.receive())).get("body", b""))
