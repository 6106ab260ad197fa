"""Time a server under load, watch its memory, and send it what it should refuse.

``python benchmarks/bench_serve.py --requests 200 --at-a-time 8 --long 5000 --hostile 2000``

Records are simulated (10 s, 12 leads, 500 Hz, as NPZ), damaged ones are made of them with a fixed seed. A table is
printed; every hostile upload must end in a 4xx with a reason, and the server must answer a sound record afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
import socket
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import httpx
import numpy as np

from cardioflow import EcgDataset

SERVER = """
from cardioflow.serve.running import run
from cardioflow.serve.settings import ServerSettings
settings = ServerSettings(bundles={bundles!r}, max_upload_mb=2.0, upload_timeout_s={seconds}, timeout_s=60.0)
run(settings, "127.0.0.1", {port})
"""


def sound_record() -> bytes:
    batch = EcgDataset.simulated(
        1, rhythms=["SR"], duration_s=10.0, fs=500.0, leads="I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6"
    ).next_batch(1).load(components=["signal", "meta"])  # fmt: skip
    out = io.BytesIO()
    np.savez(out, signal=batch.signal[0], fs=500.0, leads=list(batch.meta[0]["leads"]), units=["mV"] * 12)
    return out.getvalue()


def archive(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries.items():
            made.writestr(name, content)
    return out.getvalue()


async def trickle() -> AsyncIterator[bytes]:
    while True:
        yield b"0"
        await asyncio.sleep(0.2)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"0" * 100_000


def hostile(rng: random.Random, sound: bytes) -> tuple[str, str, object]:
    """Return the kind of an upload that must be refused, its file name and its body."""
    kinds: dict[str, Callable[[], tuple[str, object]]] = {
        "noise": lambda: (f"a{rng.choice(['.edf', '.xml', '.scp', '.dcm', '.npz', '.hea'])}", rng.randbytes(3000)),
        "cut off": lambda: ("a.npz", sound[: rng.randrange(1, len(sound) - 100)]),
        "text": lambda: ("a.csv", b"I,II\n" + b"one,two\n" * rng.randrange(1, 100)),
        "entities": lambda: (
            "a.xml",
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><AnnotatedECG>&b;</AnnotatedECG>',
        ),
        "header that names /etc": lambda: (
            "a.zip",
            archive({"a.hea": b"a 1 100 10\n/etc/passwd 16 200 16 0 0 0 0 I\n"}),
        ),
        "path": lambda: ("../../a.edf", sound),
        "archive that swells": lambda: ("a.zip", archive({"a.bin": b"0" * 9_000_000})),
        "archive that reaches out": lambda: ("a.zip", archive({"../a.hea": b"x"})),
        "huge header": lambda: ("a.edf", b"0       " + b"9" * 248 + b" " * 1000),
        "empty": lambda: ("a.edf", b""),
        "oversized": lambda: ("a.npz", b"0" * 2_500_000),
        "endless": lambda: ("a.npz", endless()),
        "slow": lambda: ("a.npz", trickle()),
        "no HTTP": lambda: ("", rng.randbytes(3000) + b"\r\n\r\n"),
    }
    # A slow one takes all the seconds that an upload has.
    kind = rng.choice([name for name in kinds if name != "slow"] * 10 + ["slow"])
    name, body = kinds[kind]()
    return kind, name, body


def memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def send_endlessly(url: str, body: AsyncIterator[bytes]) -> tuple[int, str]:
    """Send ``body`` and read while sending, as curl and browsers do and httpx does not; return status and reason."""
    parts = httpx.URL(url)
    reader, writer = await asyncio.open_connection(parts.host, parts.port)
    top = f"POST {parts.path}?filename=a.npz HTTP/1.1\r\nHost: {parts.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(top.encode())

    async def send() -> None:
        async for chunk in body:
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        return int(head.split()[1]), json.loads(await reader.readexactly(length))["detail"]
    finally:
        sending.cancel()
        writer.close()


async def post(client: httpx.AsyncClient, url: str, name: str, body: object) -> httpx.Response:
    return await client.post(url, params={"filename": name}, content=body)  # type: ignore[arg-type]


async def many(n: int, at_a_time: int, one: Callable[[int], object]) -> None:
    limit = asyncio.Semaphore(at_a_time)

    async def own(i: int) -> None:
        async with limit:
            await one(i)  # type: ignore[misc]

    await asyncio.gather(*(own(i) for i in range(n)))


async def send_raw(url: str, content: bytes) -> tuple[int, str]:
    """Send bytes that are no request; return status and reason."""
    parts = httpx.URL(url)
    reader, writer = await asyncio.open_connection(parts.host, parts.port)
    try:
        writer.write(content)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)["detail"]
    finally:
        writer.close()


async def under_load(url: str, pid: int, given: argparse.Namespace) -> None:
    """Time sound requests, and print the memory over many."""
    sound = sound_record()
    seconds: list[float] = []
    wrong: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=120) as client:

        async def one(_: int) -> None:
            start = time.perf_counter()
            response = await post(client, url, "a.npz", sound)
            seconds.append(time.perf_counter() - start)
            if response.status_code != 200:
                wrong[f"{response.status_code} {response.text[:100]}"] += 1

        await many(given.at_a_time, given.at_a_time, one)
        seconds.clear()
        start = time.perf_counter()
        await many(given.requests, given.at_a_time, one)
        whole = time.perf_counter() - start
        p50, p95 = np.percentile(seconds, [50, 95])
        print(f"| {given.requests} requests, {given.at_a_time} at a time | {len(seconds) - wrong.total()} answered, "
              f"{given.requests / whole:.1f}/s, p50 {p50:.3f} s, p95 {p95:.3f} s |")  # fmt: skip
        marks = [memory_mb(pid)]
        for _ in range(5):
            await many(given.long // 5, given.at_a_time, one)
            marks.append(memory_mb(pid))
    print(f"| memory over {given.long} requests, MB | {', '.join(f'{m:.0f}' for m in marks)} |")
    print(f"| requests that failed | {dict(wrong) or 'none'} |")


async def under_attack(url: str, pid: int, given: argparse.Namespace) -> None:
    """Send what must be refused, and print how it ended and whether a sound record is answered afterwards."""
    sound = sound_record()
    rng = random.Random(0)
    outcomes: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=120) as client:

        async def bad(_: int) -> None:
            kind, name, body = hostile(rng, sound)
            try:
                if isinstance(body, AsyncIterator):
                    status, reason = await send_endlessly(url, body)
                elif kind == "no HTTP":
                    status, reason = await send_raw(url, body)  # type: ignore[arg-type]
                else:
                    response = await post(client, url, name, body)
                    status, reason = response.status_code, response.json().get("detail")
                fine = 400 <= status < 500 and bool(reason)
                outcomes[f"{status} with a reason" if fine else f"{kind}: {status}"] += 1
            except (httpx.HTTPError, OSError, EOFError) as error:
                outcomes[f"{kind}: {type(error).__name__}"] += 1

        await many(given.hostile, given.at_a_time, bad)
        print(f"| {given.hostile} hostile uploads | {dict(outcomes)} |")
        after = await post(client, url, "a.npz", sound)
        print(f"| a sound record afterwards | {after.status_code}, {memory_mb(pid):.0f} MB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="waves")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--at-a-time", type=int, default=8)
    parser.add_argument("--long", type=int, default=5000)
    parser.add_argument("--hostile", type=int, default=2000)
    given = parser.parse_args()
    # Sound requests meet the limit of time that a server has unless told; hostile ones a short one, or each of the slow
    # uploads would take 20 s.
    served(under_load, 20.0, given)
    if given.hostile:
        served(under_attack, 2.0, given)


def served(scenario: Callable[[str, int, argparse.Namespace], Coroutine[object, object, None]], seconds: float,
           given: argparse.Namespace) -> None:  # fmt: skip
    """Run ``scenario`` on a server of its own, where an upload may take ``seconds``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = SERVER.format(bundles=(given.bundle,), port=port, seconds=seconds)
    with subprocess.Popen([sys.executable, "-c", program]) as server:
        try:
            base = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    name = httpx.get(f"{base}/health").json()["bundles"][0]
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)
            asyncio.run(scenario(f"{base}/v1/predict/{name}", server.pid, given))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
