"""Market data on its way to a board: each market's events as Binance datagrams to a port of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, Final

from market.errors import Rejected
from market.fastpath.conformance.frame_builder import best_bid_ask, trades
from market.fastpath.specification import Feed, Side, StepKind
from market.receive.words import Endpoint
from orchestrator.engine.inputs import Input, InputKind, quote_event, trade_event
from orchestrator.engine.outstanding import MarketOf
from sim.replay.framed import IS_BUYER_MAKER

_HEADER: Final = Struct("<HHHH")
_QUOTE: Final = Struct("<8x8xqbbqqqq")
_TRADE: Final = Struct("<8x16xbbHI8xqqB")
_QUOTE_HEADER: Final = (50, 10_001, 1, 0)
_TRADES_HEADER: Final = (18, 10_000, 1, 0)
_AGGRESSORS: Final = {maker: side for side, maker in IS_BUYER_MAKER.items()}


class BoardMarkets:
    """Channels of a board that carry what its host receives, and nothing else.

    Parameters
    ----------
    markets: instrument and venue of each channel, in the order of their numbers.
    first: where the first one's datagrams go; those of the next ones go to the ports behind it.

    Raises Rejected for more markets than ports.
    """

    def __init__(self, markets: Sequence[MarketOf], first: Endpoint) -> None:
        if first.port + len(markets) > 1 << 16:
            raise Rejected(f"{len(markets)} markets from port {first.port} on; expected ports up to 65535")
        self.markets = tuple(markets)
        self._address = first.address
        self._first_port = first.port
        self._destinations = {
            market: (str(to.address), to.port) for market, to in zip(self.markets, self.destinations, strict=True)
        }

    @property
    def destinations(self) -> list[Endpoint]:
        """Where the channels' datagrams go."""
        return [Endpoint(self._address, self._first_port + number) for number in range(len(self.markets))]

    def rows(self, channels: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """A ChannelRow per channel of the board; those that carry nothing are off."""
        for channel in range(channels):
            if channel >= len(self.markets):
                yield "ChannelRow", {**dict.fromkeys(("address", "port", "instrument", "venue"), 0), **_off(channel)}
                continue
            instrument, venue = self.markets[channel]
            where = {"address": int(self._address), "port": self._first_port + channel, "channel": channel}
            yield (
                "ChannelRow",
                {**where, "instrument": instrument, "venue": venue, "feed": Feed.BINANCE_SBE, "enabled": 1},
            )

    def datagram(self, given: Input) -> tuple[bytes, tuple[str, int]]:
        """An event as a datagram, and where it goes; raises Rejected for a market without a channel."""
        market = (given.numbers[0], given.numbers[1])
        to = self._destinations.get(market)
        if to is None:
            raise Rejected(f"an event of instrument {market[0]}, venue {market[1]}, which has no channel of the board")
        if given.kind is InputKind.QUOTE:
            exponents, sequence, sides = given.numbers[2:4], given.numbers[4], given.numbers[5:9]
            return best_bid_ask(exponents[0], exponents[1], sequence, sides[0], sides[1], sides[2], sides[3]), to
        _, _, price_exponent, quantity_exponent, aggressor, price, quantity = given.numbers
        entry = (price, quantity, IS_BUYER_MAKER[Side(aggressor)])
        return trades(price_exponent, quantity_exponent, [entry]), to

    def event(self, channel: int, payload: bytes) -> tuple[StepKind, bytes] | None:
        """What a datagram of a channel is about, as the message of an event; None for what was never sent."""
        if channel >= len(self.markets) or len(payload) < _HEADER.size:
            return None
        header = _HEADER.unpack_from(payload)
        if header == _QUOTE_HEADER and len(payload) > _QUOTE.size:
            sequence, *rest = _QUOTE.unpack_from(payload)
            exponents, sides = rest[:2], rest[2:]
            return StepKind.QUOTE, quote_event((*self.markets[channel], *exponents, sequence, *sides))
        if header == _TRADES_HEADER and len(payload) > _TRADE.size:
            price_exponent, quantity_exponent, _, count, price, quantity, maker = _TRADE.unpack_from(payload)
            if count == 1 and maker in _AGGRESSORS:
                numbers = (price_exponent, quantity_exponent, int(_AGGRESSORS[maker]), price, quantity)
                return StepKind.TRADE, trade_event((*self.markets[channel], *numbers))
        return None


def _off(channel: int) -> dict[str, int]:
    return {"channel": channel, "feed": int(Feed.BINANCE_SBE), "enabled": 0}
