"""Clients that send slowly, without end or nothing at all read why they are refused, over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

pytest.importorskip("uvicorn")

from cardioflow.serve import arrivals, deadline
from cardioflow.serve.app import create_app
from cardioflow.serve.running import listening, server_for
from cardioflow.serve.settings import ServerSettings

HEAD = b"POST /v1/predict/beats?filename=a.edf HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def app():
    return create_app(ServerSettings(bundles=("beats",), max_upload_mb=1.0, upload_timeout_s=0.3, linger_s=0.3))


def run(app, scenario: Callable[[int], Awaitable[None]], settings: ServerSettings | None = None) -> None:
    """Run ``scenario`` with the port of a server of ``app``."""

    async def served() -> None:
        with listening("127.0.0.1", 0) as own:
            server = server_for(app, settings or ServerSettings(bundles=("beats",)))
            task = asyncio.create_task(server.serve(sockets=[own]))
            try:
                await scenario(own.getsockname()[1])
            finally:
                server.should_exit = True
                await task

    asyncio.run(served())


async def refused(port: int, head: bytes, body: AsyncIterator[bytes]) -> tuple[int, str, bool]:
    """Send a request and read while sending, as browsers and curl do; return status, reason and what came last.

    The third value is whether the connection ended in good order, not by a reset.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)

    async def send() -> None:
        async for chunk in body:
            writer.write(chunk)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        top = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(": ", 1) for line in top.decode().strip().split("\r\n")[1:])
        text = await reader.readexactly(int(fields["content-length"]))
        assert fields["connection"] == "close"
        sending.cancel()
        try:
            ended = await asyncio.wait_for(reader.read(), 5) == b""
        except ConnectionError:
            ended = False
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    return int(top.split()[1]), json.loads(text)["detail"], ended


async def slow() -> AsyncIterator[bytes]:
    while True:
        yield b"1\r\n0\r\n"
        await asyncio.sleep(0.05)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"10000\r\n" + b"0" * 0x10000 + b"\r\n"


async def nothing() -> AsyncIterator[bytes]:
    for part in ():
        yield part


def test_a_slow_or_endless_upload_ends_in_a_reason_before_the_connection_closes(app):
    async def scenario(port: int) -> None:
        late = "The file did not arrive within 0.3 s."
        assert await refused(port, CHUNKED, slow()) == (408, late, True)
        assert await refused(port, HEAD + b"Content-Length: 500\r\n\r\n", nothing()) == (408, late, True)
        status, reason, _ = await refused(port, CHUNKED, endless())
        assert (status, reason) == (413, "The file is larger than 1 MB.")
        status, reason, _ = await refused(port, HEAD + b"Content-Length: 9000000000\r\n\r\n", endless())
        assert (status, reason) == (413, "The file is larger than 1 MB.")
        wrong = CHUNKED.replace(b"/beats", b"/none")
        assert (await refused(port, wrong, endless()))[0] == 404

    run(app, scenario)


def test_a_connection_without_a_request_is_closed_with_408(app, monkeypatch):
    monkeypatch.setattr(deadline, "HEADERS_S", 0.2)
    late = "The headers of the request did not arrive within 0.2 s."

    async def scenario(port: int) -> None:
        assert await refused(port, b"", nothing()) == (408, late, True)
        assert await refused(port, HEAD, nothing()) == (408, late, True)
        # The second request of a connection.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.write(HEAD)
        assert b"408 Request Timeout" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 2)
        writer.close()

    run(app, scenario)


def test_what_is_not_http_is_refused_in_words(app):
    async def rubbish() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"\x16\x03\x01" * 10_000

    async def scenario(port: int) -> None:
        for head in (
            b"\x16\x03\x01\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        ):
            assert await refused(port, head, rubbish()) == (400, "Invalid HTTP request received.", True)

    run(app, scenario)


def test_slow_uploads_and_silent_connections_make_room_for_a_sound_request(monkeypatch, data):
    monkeypatch.setattr(arrivals, "_FAIR_S", 0.1)
    settings = ServerSettings(bundles=("beats",), workers=1, queue=0, arriving=3, linger_s=0.3)
    sound = (data / "formats" / "scp" / "Example.scp").read_bytes()
    whole = HEAD.replace(b"a.edf", b"a.scp") + b"Content-Length: %d\r\n\r\n" % len(sound) + sound

    async def answer(port: int) -> bytes:
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(whole)
                top = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            finally:
                writer.close()
            if b" 503 " not in top:
                break
            # All others have only just begun: the server asks to come again.
            await asyncio.sleep(0.5)
        return top.splitlines()[0]

    async def scenario(port: int) -> None:
        # More silent connections than the server keeps, then as many slow uploads as may arrive at a time.
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(80)]
        assert await answer(port) == b"HTTP/1.1 200 OK"
        uploads = [asyncio.create_task(refused(port, CHUNKED, slow())) for _ in range(3)]
        await asyncio.sleep(0.5)
        assert await answer(port) == b"HTTP/1.1 200 OK"
        done, arriving = await asyncio.wait(uploads, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result()[:2] for task in done] == [
            (408, "The server is busy, and the file arrived more slowly than others.")
        ]
        assert len(arriving) == 2
        for task in arriving:
            task.cancel()
        await asyncio.gather(*arriving, return_exceptions=True)
        for _, writer in silent:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in silent), return_exceptions=True)

    run(create_app(settings), scenario, settings)
