"""A client has its seconds, of which pauses of the server itself are not taken."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import pytest

pytest.importorskip("uvicorn")

from cardioflow.serve.arrivals import Arrivals
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.sender import Dismissed, Sender


def test_a_sender_is_given_up_after_its_seconds_of_waiting():
    async def scenario() -> None:
        sender = Sender(0.1)
        assert await sender.wait_for(asyncio.sleep(0.01, "there")) == "there"
        with pytest.raises(TimeoutError):
            await sender.wait_for(asyncio.sleep(30))
        assert sender.waited_s == pytest.approx(0.1)

    asyncio.run(scenario())


def test_a_server_that_stood_still_does_not_refuse_what_came_meanwhile():
    async def scenario() -> None:
        sender = Sender(0.4)
        loop = asyncio.get_running_loop()
        # The process does not run for longer than the sender has; the data come in the next turn of the loop.
        loop.call_soon(time.sleep, 0.6)
        assert await sender.wait_for(asyncio.sleep(0.05, "there")) == "there"
        assert sender.waited_s < 0.4

    asyncio.run(scenario())


def test_the_slowest_upload_makes_room_and_one_that_has_just_begun_does_not():
    async def scenario() -> None:
        arrivals = Arrivals(2)
        with ExitStack() as stack:
            slow, quick = (stack.enter_context(arrivals.place(9)) for _ in range(2))
            with pytest.raises(RefusalError, match="The server is busy") as full:
                stack.enter_context(arrivals.place(9))
            assert full.value.status == 503
            slow.size, slow.waited_s = 100, 2.0
            quick.size, quick.waited_s = 1_000, 2.0
            stack.enter_context(arrivals.place(9))
            assert len(arrivals) == 2
            assert await quick.wait_for(asyncio.sleep(0, "goes on")) == "goes on"
            with pytest.raises(Dismissed):
                await slow.wait_for(asyncio.sleep(30))
        assert len(arrivals) == 0

    asyncio.run(scenario())


def test_an_upload_that_is_late_or_dismissed_is_refused_with_the_reason():
    async def upload(*, dismissed: bool) -> None:
        with Arrivals(1).place(0.05) as sender:
            if dismissed:
                sender.dismiss()
            await sender.wait_for(asyncio.sleep(30))

    for dismissed, reason in ((False, "did not arrive within 0.05 s"), (True, "arrived more slowly than others")):
        with pytest.raises(RefusalError, match=reason) as refused:
            asyncio.run(upload(dismissed=dismissed))
        assert refused.value.status == 408
