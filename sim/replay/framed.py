"""Events in Ethernet frames: an engine is fed as a network would feed it, on channels of its own table.

The rows of the channels are control messages, which a status counts: an engine that is fed with frames has another
decision hash than one that is fed with events, and the same as every other engine that is fed with these frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.engine import Engine
from market.errors import Fatal, Rejected
from market.fastpath.conformance.frame_builder import ADDRESS, Wrapping, best_bid_ask, frame, trades
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Feed, Side
from market.wire.sbe import decode, encode
from sim.replay.arming import FIRST_SEQUENCE
from sim.replay.session import SessionSettings

FIRST_PORT: Final = 30_000
IS_BUYER_MAKER: Final = {Side.BUY: 0, Side.SELL: 1, Side.NONE: 255}
"""What a trade of Binance says of its aggressor."""


def with_channels(settings: SessionSettings) -> SessionSettings:
    """The settings with a channel row, behind the other tables, for each pair that has a scaling row.

    Raises Fatal for more pairs than the engine has channels.
    """
    pairs = traded_pairs(settings.tables)
    if len(pairs) > settings.sizes.channels:
        raise Fatal(f"{len(pairs)} pairs of instrument and venue; the engine has {settings.sizes.channels} channels")
    first = FIRST_SEQUENCE + 1 + len(settings.tables)
    rows = [
        encode(SCHEMA, "ChannelRow", {"sequence": first + channel, **_channel_row(channel, *pair)})
        for channel, pair in enumerate(pairs)
    ]
    return replace(settings, tables=(*settings.tables, *rows))


def traded_pairs(tables: Sequence[bytes]) -> list[tuple[int, int]]:
    """Instrument and venue of each scaling row, in order."""
    rows = [decode(SCHEMA, message) for message in tables]
    return [(row.fields["instrument"], row.fields["venue"]) for row in rows if row.name == "ScalingRow"]


def _channel_row(channel: int, instrument: int, venue: int) -> dict[str, int]:
    where = {"address": ADDRESS, "port": FIRST_PORT + channel, "channel": channel}
    return {**where, "instrument": instrument, "venue": venue, "feed": Feed.BINANCE_SBE, "enabled": 1}


class Framed:
    """An engine whose quotes and trades go in as frames of Binance's SBE stream, whole and with check sequences.

    Parameters
    ----------
    engine: takes frames; its tables have the rows of ``with_channels``.
    pairs: instrument and venue of each channel.

    Raises Rejected for an event of a pair without a channel.
    """

    def __init__(self, engine: Engine, pairs: Sequence[tuple[int, int]]) -> None:
        self.engine = engine
        self._ports = {pair: FIRST_PORT + channel for channel, pair in enumerate(pairs)}

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Frames as they are."""
        self.engine.push(frames, receive_ns)

    def push_quotes(self, events: NDArray[np.int64]) -> None:
        """A frame with a BestBidAsk message per event; columns as in ``QUOTE_COLUMNS``."""
        self.engine.push(self.frames_of(events), events[:, -1].tolist())

    def frames_of(self, events: NDArray[np.int64]) -> list[bytes]:
        """The frames of quote events, check sequences included."""
        rows = events.tolist()
        return [self._framed(row[0], row[1], best_bid_ask(*row[2:9])) for row in rows]

    def trade(
        self,
        instrument: int,
        venue: int,
        price_exponent: int,
        quantity_exponent: int,
        aggressor: int,
        price: int,
        quantity: int,
        time_ns: int,
    ) -> None:
        """A frame with a Trades message of one entry."""
        entry = (price, quantity, IS_BUYER_MAKER[Side(aggressor)])
        payload = trades(price_exponent, quantity_exponent, [entry])
        self.engine.push([self._framed(instrument, venue, payload)], [time_ns])

    def control(self, message: bytes, time_ns: int) -> None:
        """Control messages do not come in frames of a market."""
        self.engine.control(message, time_ns)

    def outputs(self) -> list[bytes]:
        """See ``Engine``."""
        return self.engine.outputs()

    def event_log(self) -> list[bytes]:
        """See ``Engine``."""
        return self.engine.event_log()

    @property
    def counters(self) -> Mapping[str, int]:
        """See ``Engine``."""
        return self.engine.counters

    @property
    def parity(self) -> int:
        """See ``Engine``."""
        return self.engine.parity

    @property
    def decision_hash(self) -> str:
        """See ``Engine``."""
        return self.engine.decision_hash

    def frame_counters(self) -> bytes:
        """See ``Engine``."""
        return self.engine.frame_counters()

    def _framed(self, instrument: int, venue: int, payload: bytes) -> bytes:
        port = self._ports.get((instrument, venue))
        if port is None:
            raise Rejected(f"an event of instrument {instrument}, venue {venue}, which has no channel")
        return frame(payload, Wrapping(port=port, udp_checksum=None))
