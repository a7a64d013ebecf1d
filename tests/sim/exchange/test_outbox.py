"""Messages on their way to a connection: whatever comes together, a connection that ends has ended."""

from __future__ import annotations

import asyncio

import pytest

from sim.exchange.outbox import Message, Outbox
from sim.faults.plan import Channel
from tests.sim.exchange.stage import SPOT, Stage, play

LATENCY_NS = 10**12


@pytest.mark.parametrize("turns", range(8))
def test_it_ends_though_a_message_comes_with_the_end(turns: int) -> None:
    """A message waits for its time, another one comes, and so many turns of the event loop later it is over."""

    async def scene(stage: Stage) -> None:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        outbox = Outbox(stage.server.servers[SPOT].service, send, lambda: None, LATENCY_NS)
        running = asyncio.ensure_future(outbox.run())
        for text in ("first", "second"):
            for _ in range(10):
                await asyncio.sleep(0)
            outbox.put(text, Channel.MARKET)
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=10)
        assert done
        assert running.cancelled()
        assert sent == []

    play(scene)
