"""Scripts of a host and its markets: the reference says at once what they should do, the core does it afterwards."""

from __future__ import annotations

from typing import Any, Final

from market.fastpath.conformance.case import Frame, Input, Quote, Trade
from market.fastpath.conformance.frame_builder import best_bid_ask, trades
from market.fastpath.conformance.scenario import PLENTY_NS, Scenario
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import NO_VENUE, Feed, Kind, Side
from sim.rtl.bench.core_bench import CoreBench
from sim.rtl.bench.scapy_frames import GROUP_NUMBER, frame

FIRST_PORT: Final = 30_000
BETWEEN_SCRIPTS_NS: Final = PLENTY_NS
"""Longer than whatever may be left of what was before: cooldowns, tokens."""
_MAKER: Final = {Side.BUY: 0, Side.SELL: 1, Side.NONE: 255}


def port_of(venue: int) -> int:
    """The port of a venue's channel for instrument 0."""
    return FIRST_PORT + venue


class Desk(Scenario):
    """A scenario of the corpus whose events go in frames, and which goes on from where the one before it ended.

    Parameters
    ----------
    bench: the core. reference: the engine of all scripts of a simulation.
    """

    def __init__(self, bench: CoreBench, reference: ReferenceEngine) -> None:
        super().__init__("", "", sizes=bench.sizes)
        self.bench, self.engine = bench, reference
        self.now = reference.state.time

    def give(self, given: Input) -> list[dict[str, Any]]:
        """One input, quotes and trades in frames built with scapy; what the reference answers."""
        if isinstance(given, Quote):
            numbers = (given.bid_price, given.bid_quantity, given.ask_price, given.ask_quantity)
            payload = best_bid_ask(given.price_exponent, given.quantity_exponent, given.sequence, *numbers)
            given = Frame(frame(payload, port_of(given.venue)))
        elif isinstance(given, Trade):
            entry = (given.price, given.quantity, _MAKER[Side(given.aggressor)])
            payload = trades(given.price_exponent, given.quantity_exponent, [entry])
            given = Frame(frame(payload, port_of(given.venue)))
        return super().give(given)

    def fresh(self, *kinds: Kind, **row: Any) -> None:
        """Tables as of ``set_up``, a channel per venue, no quotes, no bits, no basis, no positions; armed.

        ``armed=False`` leaves it killed.
        """

        def clean() -> None:
            self.control("Reset", venue=NO_VENUE)
            for venue in range(self.sizes.venues):
                self.channel_row(venue)
                self.set_position(venue, 0)

        self.wait(BETWEEN_SCRIPTS_NS)
        self.set_up(*kinds, before_arming=clean, **row)

    def channel_row(self, venue: int, **changes: int) -> None:
        """The channel of a venue for instrument 0."""
        place = {"address": GROUP_NUMBER, "port": port_of(venue), "channel": venue, "instrument": 0, "venue": venue}
        self.control("ChannelRow", **(place | {"feed": int(Feed.BINANCE_SBE), "enabled": 1} | changes))

    async def play(self, *, gap: int | None = None) -> None:
        """Give the script so far to the core, and compare."""
        steps, self.steps = self.steps, []
        await self.bench.play(steps, gap=gap)
