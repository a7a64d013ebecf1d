"""How far away a venue is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Times that things take on their way; all may be 0.

    Parameters
    ----------
    request_ns: a request, to the venue. answer_ns: its answer, and user data, to the client.
    publish_ns: market data, to the client; venues that differ in it lead and lag.
    """

    request_ns: int = 0
    answer_ns: int = 0
    publish_ns: int = 0

    async def wait_for_request(self) -> None:
        """Let a request travel."""
        if self.request_ns:
            await asyncio.sleep(self.request_ns / 1e9)

    async def wait_for_answer(self) -> None:
        """Let an answer travel."""
        if self.answer_ns:
            await asyncio.sleep(self.answer_ns / 1e9)
