"""The venue's clock, as far as we know it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from market.errors import Retry
from market.protocols import Clock
from orchestrator.execution.answers import Reply
from orchestrator.execution.questions import MISREAD, Asker
from orchestrator.execution.requests import Ask, Request

_MS_NS: Final = 10**6
_AGAIN_EVERY_S: Final = 60.0
_QUESTIONS: Final = 3
"""The first may wait for a connection."""


class VenueTime:
    """How far the venue's clock is ahead of ours; 0 until it was measured.

    Parameters
    ----------
    ask: sends a request. on_problem: told when the venue could not be asked again.
    """

    def __init__(self, clock: Clock, ask: Asker, on_problem: Callable[[str], None]) -> None:
        self._clock = clock
        self._ask = ask
        self._on_problem = on_problem
        self.ahead_ns = 0

    def timestamp_ms(self) -> int:
        """The venue's time now."""
        return (self._clock.now_ns() + self.ahead_ns) // _MS_NS

    async def measure(self) -> None:
        """Ask for the venue's time three times, and believe the fastest answer. Raises Retry if none comes.

        The venue's clock showed its answer halfway between question and answer, at most half of the way beside it.
        """
        taken: list[tuple[int, int]] = []
        problem = ""
        for _ in range(_QUESTIONS):
            try:
                taken.append(await self._measured())
            except Retry as error:
                problem = str(error)
        if not taken:
            raise Retry(problem)
        self.ahead_ns = min(taken)[1]

    async def _measured(self) -> tuple[int, int]:
        """How long question and answer took, and how far the venue is ahead if both took the same."""
        asked_ns = self._clock.now_ns()
        answer = await self._ask(Request(ask=Ask.TIME, parameters={}))
        if not isinstance(answer, Reply):
            raise Retry(f"asking for the venue's time: {answer.reason}")
        took_ns = self._clock.now_ns() - asked_ns
        return took_ns, int(answer.body["serverTime"]) * _MS_NS - asked_ns - took_ns // 2

    async def measure_again(self) -> None:
        """As ``measure``, but failing is only a problem to be told."""
        try:
            await self.measure()
        except (Retry, *MISREAD) as error:
            self._on_problem(str(error))

    async def keep(self) -> None:
        """Measure every minute, until cancelled."""
        while True:
            await asyncio.sleep(_AGAIN_EVERY_S)
            await self.measure_again()
