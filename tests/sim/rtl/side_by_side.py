"""One input, two engines: the simulated hardware beside the CPU engine, and everything in which they differ."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from market.fastpath import layout
from market.fastpath.conformance.case import Control
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, best_bid_ask, frame
from market.fastpath.conformance.runner import described, feed
from market.fastpath.conformance.scenario import THREE_VENUES, Scenario
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import Feed, Kind
from market.wire.sbe import decode
from sim.rtl.addresses import datagram_of
from sim.rtl.engine import SoftFpga
from sim.rtl.lines import BETWEEN_FRAMES, Line
from sim.rtl.model import LOG_BACKLOG_BYTES, Area
from tests.sim.rtl.cores import core

PORTS: Final = (30_000, 41_555, 53_333)
"""Of the venues; no two are a flipped bit or two apart."""
STEP_NS: Final = 10_000
_POSITION_LIMIT: Final = 1 << 40
"""Out of the way of many triggers."""
_TRIGGER: Final = layout.TEMPLATE_TRIGGER.to_bytes(2, "little")


class SideBySide:
    """Three venues of one instrument, each on a channel, armed for arbitrage, on both engines.

    Venue 0 is for whatever a test does to frames; the other two make the triggers that show that nothing else suffered.

    Parameters
    ----------
    line: as of ``SoftFpga``.
    gap: idle cycles behind each frame; None: those of a full line.
    backlog: as of ``SoftFpga``.

    Attributes
    ----------
    triggers: how many the CPU engine has sent so far.
    """

    def __init__(
        self, bus_bytes: int, *, line: Line | None = None, gap: int | None = None, backlog: int = LOG_BACKLOG_BYTES
    ) -> None:
        keep = [Area.SENT]
        build = core(bus_bytes, paced=line is not None and line.is_paced)
        self.soft = SoftFpga(build, THREE_VENUES, event_log=True, keep=keep, line=line, gap=gap, backlog=backlog)
        self.cpu = CpuEngine(THREE_VENUES, event_log=True)
        self.triggers = 0
        self._updates = itertools.count(1)
        scenario = Scenario("side by side", "", sizes=THREE_VENUES)
        scenario.set_up(Kind.ARB, positionLimit=_POSITION_LIMIT)
        for venue, port in enumerate(PORTS):
            scenario.control(
                "ChannelRow",
                **{"address": ADDRESS, "port": port, "channel": venue, "instrument": 0},
                **{"venue": venue, "feed": int(Feed.BINANCE_SBE), "enabled": 1},
            )
        for step in scenario.steps:
            for engine in (self.soft, self.cpu):
                feed(engine, step.input, step.at_ns)
        self.now = scenario.now
        self._sequence = scenario.engine.state.expected_sequence - 1
        self.push([self.quote(2), *self.probe()])
        assert self.differences() == []
        assert self.triggers == 1

    def quote(self, venue: int, bid: int = 999, wrapping: Wrapping | None = None, symbol: bytes = b"BTCUSDT") -> bytes:
        """A frame with the next quote of a venue, two wide and ten deep."""
        payload = best_bid_ask(-9, -9, next(self._updates), bid, 10, bid + 2, 10, symbol)
        return frame(payload, wrapping or Wrapping(port=PORTS[venue], udp_checksum=None))

    def probe(self) -> Iterator[bytes]:
        """Good frames: one that makes a trigger whatever venue 0 says, and two after which it and venue 0 can again."""
        yield self.quote(1, 1_010)
        yield self.quote(1)
        yield self.quote(0)

    def push(self, frames: Sequence[bytes], step_ns: int = STEP_NS) -> None:
        """Frames to both, one after the other."""
        times = range(self.now + step_ns, self.now + step_ns * (len(frames) + 1), step_ns)
        self.now += step_ns * len(frames)
        for engine in (self.soft, self.cpu):
            engine.push(frames, list(times))

    def control(self, name: str, **fields: int) -> None:
        """A control message to both, with the number that is expected."""
        self._sequence += 1
        self.control_bytes(Control(name, {"sequence": self._sequence, **fields}).payload())

    def control_bytes(self, message: bytes, then: bytes | None = None) -> None:
        """A control message to both as bytes; with ``then`` the number that is expected and these go behind it."""
        if then is not None:
            self._sequence += 1
            message += self._sequence.to_bytes(8, "little") + then
        self.now += STEP_NS
        for engine in (self.soft, self.cpu):
            engine.control(message, self.now)

    def forget(self) -> None:
        """Reset venue 0: any update of it is new again."""
        self.control("Reset", venue=0)

    def fill_the_line(self, frames: Sequence[bytes]) -> None:
        """Frames to both as a full line brings them: preamble and smallest gap between them, times as they pass."""
        line = self.soft.line
        beat = line.cycles_of(line.bus_bytes)
        cycles = [line.cycle_of(len(each) - 1, len(each)) + beat for each in frames]
        starts = [
            0,
            *(line.cycles_of(end) for end in itertools.accumulate(len(each) + BETWEEN_FRAMES for each in frames)),
        ]
        times = [self.now + int(start * line.cycle_ns) for start in starts]
        for number, each in enumerate(frames):
            gap = starts[number + 1] - starts[number] - cycles[number]
            self.soft.model.frames([each], [times[number]], gap)
        self.cpu.push(frames, times[:-1])
        self.now = times[-1]

    def differences(self, *, log_may_miss_steps: bool = False) -> list[str]:
        """What is not byte for byte the same since the last call: messages, log, counters, parity, frames that left.

        ``log_may_miss_steps``: a step may be missing from the log, but none may be another one or in another place.
        """
        found: list[str] = []
        logged, steps = self.soft.event_log(), self.cpu.event_log()
        if log_may_miss_steps:
            numbers = {_step_number(step) for step in logged}
            steps = [step for step in steps if _step_number(step) in numbers]
        messages = self.cpu.outputs()
        triggers = [message for message in messages if message[2:4] == _TRIGGER]
        self.triggers += len(triggers)
        left = [datagram_of(sent).payload for sent in self.soft.sent()]
        for what, wanted, seen in (
            ("message", messages, self.soft.outputs()),
            ("step of the log", steps, logged),
            ("trigger in a frame", triggers, [payload for payload in left if payload[2:4] == _TRIGGER]),
        ):
            pairs = itertools.zip_longest(wanted, seen, fillvalue=b"")
            wrong = next(((one, other) for one, other in pairs if one != other), None)
            if wrong is not None:
                found.append(f"{what}: expected {_named(wrong[0])}, seen {_named(wrong[1])}")
        for name, one, other in (
            ("counters", self.cpu.counters, self.soft.counters),
            ("frame counters", self.frame_counters(self.cpu), self.frame_counters(self.soft)),
            ("parity", {"parity": self.cpu.parity}, {"parity": self.soft.parity}),
        ):
            changed = {key: (value, other[key]) for key, value in one.items() if value != other[key]}
            if changed:
                found.append(f"{name} (expected, seen): {changed}")
        return found

    @staticmethod
    def frame_counters(engine: SoftFpga | CpuEngine) -> dict[str, int]:
        """What became of the frames, by the names of the message; without the number of the last step."""
        fields = decode(layout.SCHEMA, engine.frame_counters()).fields
        return {name: int(value) for name, value in fields.items() if name != "step"}


def _named(message: bytes) -> str:
    return described(message) if message else "nothing"


def _step_number(step: bytes) -> int:
    return int.from_bytes(step[layout.HEADER_SIZE : layout.HEADER_SIZE + 8], "little")
