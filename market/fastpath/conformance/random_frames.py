"""Random frames around random events: mostly good, some spoiled on the way, some spoiled by who built them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from market.fastpath.conformance.case import Control, Frame, Quote, Trade
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, best_bid_ask, frame, trades, with_fcs
from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.random_lines import CHANNEL_ROWS
from market.fastpath.specification import EngineSizes, Feed

FIRST_PORT = 30_000


class RandomFrames:
    """Turns events of a build's (instrument, venue) pairs into frames, one channel row per pair."""

    def __init__(self, market: MarketModel, sizes: EngineSizes) -> None:
        self._market, self._sizes = market, sizes
        self._spoilers: tuple[Callable[[int], Wrapping], ...] = (
            lambda port: Wrapping(port=port, udp_checksum=market.below(1 << 16)),
            lambda port: Wrapping(port=port, header_checksum=market.below(1 << 16)),
            lambda port: Wrapping(port=port, total_length=market.below(200)),
            lambda port: Wrapping(port=port, udp_length=market.below(200)),
            lambda port: Wrapping(port=port, flags_and_offset=market.below(1 << 16)),
            lambda port: Wrapping(port=port, first_byte=market.below(256)),
            lambda port: Wrapping(port=port, protocol=market.below(256)),
            lambda port: Wrapping(port=port, packet_end=market.below(100)),
            lambda port: Wrapping(port=port, ethertype=market.below(1 << 16)),
            lambda port: Wrapping(port=port, tags=(market.below(1 << 16),) * market.below(3)),
            lambda port: Wrapping(port=market.below(1 << 16)),
            lambda port: Wrapping(port=port, address=ADDRESS ^ 1 << market.below(32)),
        )

    def channel_rows(self) -> Iterator[Control]:
        """The rows of all pairs that the build has channels for."""
        pairs = [(i, v) for i in range(self._sizes.instruments) for v in range(self._sizes.venues)]
        for number, (instrument, venue) in enumerate(pairs[: self._sizes.channels - CHANNEL_ROWS]):
            yield Control(
                "ChannelRow",
                {
                    "address": ADDRESS,
                    "port": self._port(instrument, venue),
                    "channel": number,
                    "instrument": instrument,
                    "venue": venue,
                    "feed": int(Feed.BINANCE_SBE),
                    "enabled": 1,
                },
            )

    def wrapped(self, event: Quote | Trade) -> Frame:
        """The event in a frame, a trade with a few others; to a port of nobody if the build has no such pair."""
        return self.carried(self._payload(event), self._port(event.instrument, event.venue))

    def carried(self, payload: bytes, port: int, damage: float = 1.0) -> Frame:
        """A payload in a frame to a port; ``damage`` is how often it is spoiled, 1 being as often as quotes are."""
        if self._market.chance(0.03 * damage):
            payload = self._spoiled(payload)
        if self._market.chance(0.05 * damage):
            return Frame(frame(payload, self._market.one_of(self._spoilers)(port)))
        padding = bytes(self._market.below(20)) if self._market.chance(0.2) else b""
        built = frame(payload, Wrapping(port=port, udp_checksum=self._market.one_of((0, None)), padding=padding))
        if self._market.chance(0.03 * damage):
            built = self._spoiled(built)
            return Frame(built if self._market.chance(0.3) else with_fcs(built))
        return Frame(built)

    def _port(self, instrument: int, venue: int) -> int:
        if instrument >= self._sizes.instruments or venue >= self._sizes.venues:
            return FIRST_PORT - 1
        return FIRST_PORT + instrument * self._sizes.venues + venue

    def _payload(self, event: Quote | Trade) -> bytes:
        if isinstance(event, Trade):
            entries = [(event.price, event.quantity, event.aggressor)]
            entries += [(event.price + n, n, n % 4) for n in range(self._market.below(6))]
            return trades(event.price_exponent, event.quantity_exponent, entries)
        if self._market.chance(0.01):
            return struct.pack("<HHHH", 0, 10_002 + self._market.below(2), 1, 0) + bytes(self._market.below(30))
        return best_bid_ask(
            event.price_exponent,
            event.quantity_exponent,
            event.sequence,
            event.bid_price,
            event.bid_quantity,
            event.ask_price,
            event.ask_quantity,
        )

    def _spoiled(self, octets: bytes) -> bytes:
        """One bit flipped, cut, or something appended."""
        draw = self._market.below(3)
        if draw == 0:
            changed = bytearray(octets)
            changed[self._market.below(len(changed))] ^= 1 << self._market.below(8)
            return bytes(changed)
        if draw == 1:
            return octets[: self._market.below(len(octets))]
        return octets + bytes(1 + self._market.below(4))
