"""Runs payloads through the Binance decoder, and notes what it says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hdl.feeds.binance import BinanceDecoder
from hdl.parameters import CoreParameters
from market.fastpath.feeds.verdict import GOOD
from market.fastpath.specification import Feed
from tests.hdl.sbe.bus import Beat, beats_of

QUOTE_FIELDS = (
    *("price_exponent", "quantity_exponent", "sequence"),
    *("bid_price", "bid_quantity", "ask_price", "ask_quantity"),
)
TRADE_FIELDS = ("instrument", "venue", "price_exponent", "quantity_exponent", "aggressor", "price", "quantity")
GAP = 2
"""Idle cycles between datagrams, the fewest that the decoder allows."""


@dataclass
class Said:
    """What the decoder said of one payload; cycles are counted from the first beat's."""

    verdict: int = -1
    is_quote: bool = False
    quote: tuple[int, ...] | None = None
    trade_count: int = 0
    trades: list[tuple[int, ...]] = field(default_factory=list)
    beat_cycles: list[int] = field(default_factory=list)
    loaded_cycles: list[int] = field(default_factory=list)
    quote_cycle: int | None = None


class Bench:
    """A decoder in a simulator; frames are accepted if they are good and ``accepts`` says so."""

    def __init__(
        self, bus_bytes: int, *, instrument: int = 3, venue: int = 2, seed: int = 0, trades: bool = True
    ) -> None:
        feeds = frozenset(Feed) if trades else frozenset({Feed.BINANCE_SBE})
        self.decoder = BinanceDecoder(CoreParameters(bus_bytes=bus_bytes, feeds=feeds, trades=trades))
        self.bus_bytes = bus_bytes
        self.row = {"channel": 0, "instrument": instrument, "venue": venue, "feed": 0}
        self.random = np.random.default_rng(seed)
        self.overrun = False

    def run(
        self,
        payloads: Sequence[bytes],
        *,
        idle: float = 0.1,
        accepts: Sequence[bool] | None = None,
        broken_off: Sequence[int] = (),
    ) -> list[Said]:
        """What is said of each payload, its trades taken before the next one.

        Those at the positions ``broken_off`` have no last beat, and are never accepted.
        """
        said = [Said() for _ in payloads]

        async def bench(ctx: Any) -> None:
            for index, payload in enumerate(payloads):
                beats = list(beats_of(payload, self.bus_bytes, self.random, idle))
                if index in broken_off:
                    beats = [replace(beat, last=False) for beat in beats]
                await self._pass(ctx, len(payload), beats, said[index])
                accept = said[index].verdict == GOOD and index not in broken_off
                accept &= accepts is None or accepts[index]
                await self._settle(ctx, accept, said[index])
            self.overrun = bool(ctx.get(self.decoder.overrun))

        simulator = Simulator(self.decoder)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        return said

    async def _pass(self, ctx: Any, length: int, beats: Sequence[Beat], said: Said) -> None:
        ctx.set(self.decoder.length, length)
        ctx.set(self.decoder.row, self.row)
        cycle = 0
        for beat in beats:
            if cycle == 0 and not beat.count:
                continue
            if beat.count:
                said.beat_cycles.append(cycle)
            await self._tick(ctx, beat)
            cycle += 1
            self._note(ctx, said, cycle)
        # a byte at a time the verdict takes a cycle more
        late = int(self.bus_bytes == 1)
        for gap in range(GAP - 1 + late):
            if gap == late:
                said.verdict = ctx.get(self.decoder.verdict)
            await self._tick(ctx, Beat(0, 0))
            cycle += 1
            self._note(ctx, said, cycle)
        said.trade_count = ctx.get(self.decoder.trade_count)
        said.is_quote = bool(ctx.get(self.decoder.is_quote))

    async def _tick(self, ctx: Any, beat: Beat) -> None:
        bus = self.decoder.payload
        ctx.set(bus.valid, beat.count > 0)
        ctx.set(bus.first, beat.first if beat.count else int(self.random.integers(2)))
        ctx.set(bus.last, beat.last)
        ctx.set(bus.count, beat.count)
        ctx.set(bus.data, beat.data)
        await ctx.tick()
        ctx.set(bus.valid, 0)

    def _note(self, ctx: Any, said: Said, cycle: int) -> None:
        if said.quote_cycle is None and ctx.get(self.decoder.is_quote):
            said.quote_cycle = cycle
        if ctx.get(self.decoder.loaded):
            said.loaded_cycles.append(cycle)
            said.quote = tuple(ctx.get(self.decoder.quote[name]) for name in QUOTE_FIELDS)

    async def _settle(self, ctx: Any, accept: bool, said: Said) -> None:
        strobe = self.decoder.accept if accept else self.decoder.discard
        ctx.set(strobe, 1)
        await ctx.tick()
        ctx.set(strobe, 0)
        trades = self.decoder.trades
        ctx.set(trades.ready, 1)
        for _ in range(3 * (said.trade_count + 1)):
            if ctx.get(trades.valid):
                said.trades.append(tuple(ctx.get(trades.payload[name]) for name in TRADE_FIELDS))
            await ctx.tick()
        ctx.set(trades.ready, 0)
