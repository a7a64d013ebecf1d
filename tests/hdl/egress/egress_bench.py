"""Messages and log into an egress, frames out of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from amaranth.hdl import Cat
from amaranth.sim import Simulator

from hdl.egress.egress import Egress
from hdl.parameters import CoreParameters

SETTINGS = {
    "source_link": 0x02_00_00_00_00_11,
    "destination_link": 0x02_00_00_00_00_22,
    "source_address": 0xC0A80A01,
    "destination_address": 0xC0A80AFE,
    "source_port": 40_001,
    "message_port": 40_002,
    "log_port": 40_003,
}


@dataclass
class Sent:
    """A frame, the cycles of its first and last beat, and its error flag."""

    octets: bytes
    first_cycle: int
    last_cycle: int = 0
    error: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the check sequence is right."""
        return zlib.crc32(self.octets) == 0x2144DF1C


@dataclass
class EgressBench:
    """Plans of what comes when, in cycles; ``words_at`` and ``log_at`` are the earliest cycles of whole messages.

    ``pauses`` says for a cycle whether ``tx_ready`` is low in it; ``held_from`` stops the words of the message with
    that number before its word with that number until a cycle. ``parameters``: the build.
    """

    parameters: CoreParameters
    words_at: list[tuple[int, bytes]] = field(default_factory=list)
    log_at: list[tuple[int, bytes]] = field(default_factory=list)
    early: set[int] = field(default_factory=set)
    abort: set[int] = field(default_factory=set)
    pauses: Callable[[int], bool] = lambda cycle: False
    holds: dict[tuple[int, int], int] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    cycles: int = 0
    passed: int = 0

    def run(self, limit: int = 6_000) -> list[Sent]:
        """All frames, once everything planned has been sent."""
        egress = Egress(self.parameters)

        async def bench(ctx: Any) -> None:
            await self._drive(ctx, egress, limit)

        simulator = Simulator(egress)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return self.sent

    async def _drive(self, ctx: Any, egress: Egress, limit: int) -> None:
        ctx.set(egress.settings, SETTINGS)
        for _ in range(8):
            await ctx.tick()
        words = self._word_plan()
        octets = [(cycle, at, message) for cycle, message in self.log_at for at in range(len(message))]
        tx = egress.tx
        inputs = Cat(egress.trigger_early, egress.abort, egress.tx_ready)
        outputs = Cat(tx.valid, egress.tx_ready, egress.words.ready, egress.log.ready, egress.idle)
        ends = max([0, *(at for at, _ in self.words_at + self.log_at), *self.early, *self.abort, *self.holds.values()])
        for cycle in range(limit):
            is_ready = not self.pauses(cycle)
            ctx.set(inputs, (cycle in self.early) | (cycle in self.abort) << 1 | is_ready << 2)
            self._offer_word(ctx, egress.words, words, cycle)
            self._offer_octet(ctx, egress.log, octets, cycle)
            seen = ctx.get(outputs)
            if seen & 3 == 3:
                self._collect(ctx, tx, cycle)
            elif not seen & 1:
                is_pause = self.parameters.paced and cycle - self.passed < self.parameters.beat_cycles
                assert is_pause or not self._inside, "a gap within a frame"
            if words and words[0][0] <= cycle and seen & 4:
                words.pop(0)
            if octets and octets[0][0] <= cycle and seen & 8:
                octets.pop(0)
            if cycle > ends and not words and not octets and seen & 16:
                self.cycles = cycle
                return
            await ctx.tick()
        raise AssertionError(f"not idle after {limit} cycles: {len(words)} words, {len(octets)} bytes left")

    def _word_plan(self) -> list[tuple[int, int, bool, bool]]:
        plan = []
        for number, (cycle, message) in enumerate(self.words_at):
            for at in range(0, len(message), 8):
                earliest = max(cycle, self.holds.get((number, at // 8), 0))
                word = int.from_bytes(message[at : at + 8], "little")
                plan.append((earliest, word, at == 0, at + 8 == len(message)))
        return plan

    @staticmethod
    def _offer_word(ctx: Any, stream: Any, words: list[tuple[int, int, bool, bool]], cycle: int) -> None:
        is_due = bool(words) and words[0][0] <= cycle
        ctx.set(stream.valid, is_due)
        if is_due:
            _, data, first, last = words[0]
            ctx.set(stream.payload, {"data": data, "first": first, "last": last})

    @staticmethod
    def _offer_octet(ctx: Any, stream: Any, octets: list[tuple[int, int, bytes]], cycle: int) -> None:
        is_due = bool(octets) and octets[0][0] <= cycle
        ctx.set(stream.valid, is_due)
        if is_due:
            _, at, message = octets[0]
            ctx.set(stream.payload, {"data": message[at], "last": at + 1 == len(message)})

    @property
    def _inside(self) -> bool:
        return bool(self.sent) and not self.sent[-1].last_cycle

    def _collect(self, ctx: Any, tx: Any, cycle: int) -> None:
        self.passed = cycle
        first, last, error, count, data = (
            ctx.get(signal) for signal in (tx.first, tx.last, tx.error, tx.count, tx.data)
        )
        assert first == (not self._inside)
        assert last or count == self.parameters.bus_bytes
        assert last or not error
        if first:
            self.sent.append(Sent(b"", cycle))
        frame = self.sent[-1]
        frame.octets += data.to_bytes(self.parameters.bus_bytes, "little")[:count]
        if last:
            frame.last_cycle, frame.error = cycle, bool(error)
