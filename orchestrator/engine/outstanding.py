"""What a distant engine was given and has not logged: control messages in their order, each market in its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Final

import msgspec

from market.errors import Rejected
from orchestrator.engine.inputs import Input, InputKind, Step

_REMEMBERED: Final = 64
"""Inputs of a market that may be logged a second time, where a network repeats a datagram."""
MarketOf = tuple[int, int]
"""Instrument and venue."""


class _Given(msgspec.Struct, frozen=True):
    """An input, and its place in the order of giving."""

    place: int
    given: Input


class Outstanding:
    """Inputs on their way to an engine over a network that loses, repeats and reorders datagrams.

    Control messages arrive all and in order, since they are sent again until they are answered. Market data is sent
    once: what is lost on its way was never seen by the engine, and only counts.

    Attributes
    ----------
    repeated: inputs of markets that were logged a second time.
    """

    def __init__(self) -> None:
        self.repeated = 0
        self._places = 0
        self._logged = 0
        self._controls: deque[_Given] = deque()
        self._last_control: Input | None = None
        self._markets: dict[MarketOf, deque[_Given]] = {}
        self._overtaken: list[_Given] = []
        self._done: dict[MarketOf, deque[Input]] = {}

    def __len__(self) -> int:
        """How many inputs may still be logged."""
        return len(self._controls) + sum(map(len, self._markets.values()))

    def add(self, given: Input) -> None:
        """An input was sent."""
        self._places += 1
        one = _Given(self._places, given)
        if given.kind is InputKind.CONTROL:
            self._controls.append(one)
        else:
            self._markets.setdefault(_market_of(given), deque()).append(one)

    def take(self, step: Step) -> Input:
        """The input that a step of the log is made of; raises Rejected if there was none like it."""
        found = self._take_control(step) if int(step.kind) == int(InputKind.CONTROL) else self._take_market(step)
        if found is None:
            raise Rejected(
                f"step {step.number} of the event log is a {step.kind.name} that it was not given: others send to it, "
                "or what it was sent was changed on its way"
            )
        return found

    def take_lost(self, before_ns: int) -> int:
        """How many inputs of markets given before a time are lost, since later ones were logged; they are forgotten."""
        lost = [one for one in self._overtaken if one.given.time_ns < before_ns]
        self._overtaken = [one for one in self._overtaken if one.given.time_ns >= before_ns]
        count = len(lost)
        for waiting in self._markets.values():
            while waiting and waiting[0].given.time_ns < before_ns and waiting[0].place < self._logged:
                waiting.popleft()
                count += 1
        return count

    def oldest_control_ns(self) -> int | None:
        """When the first control message that is not logged was given."""
        return self._controls[0].given.time_ns if self._controls else None

    def drain(self) -> Iterator[Input]:
        """All that was not logged, in the order of giving."""
        left = sorted(chain(self._controls, *self._markets.values()), key=lambda one: one.place)
        self._controls.clear()
        self._markets.clear()
        return (one.given for one in left)

    def _take_control(self, step: Step) -> Input | None:
        if self._controls and step.is_of(self._controls[0].given):
            one = self._controls.popleft()
            self._logged = max(self._logged, one.place)
            self._last_control = one.given
            return one.given
        # a Hello that was sent again, since its answer was lost, is a step of its own
        last = self._last_control
        return last if last is not None and step.is_of(last) else None

    def _take_market(self, step: Step) -> Input | None:
        market = (step.numbers[0], step.numbers[1]) if step.numbers else (-1, -1)
        waiting = self._markets.get(market, deque())
        for position, one in enumerate(waiting):
            if step.is_of(one.given):
                self._overtaken += [waiting.popleft() for _ in range(position)]
                waiting.popleft()
                return self._was_logged(market, one)
        for one in self._overtaken:
            if step.is_of(one.given):
                self._overtaken.remove(one)
                return self._was_logged(market, one)
        for given in self._done.get(market, ()):
            if step.is_of(given):
                self.repeated += 1
                return given
        return None

    def _was_logged(self, market: MarketOf, one: _Given) -> Input:
        self._logged = max(self._logged, one.place)
        self._done.setdefault(market, deque(maxlen=_REMEMBERED)).append(one.given)
        return one.given


def _market_of(given: Input) -> MarketOf:
    return given.numbers[0], given.numbers[1]
