"""Coinbase Derivatives: single orders (docs/fastpath.md, rules 57 to 72)."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Mux

from hdl.books.records import BookSide
from hdl.feeds.order_feed import Meaning, OrderFeed, Reading
from hdl.sbe.framing import number_in
from hdl.sbe.packet import PacketDispatcher, is_below
from hdl.sbe.packet_format import packet_format
from market.fastpath.specification import Feed, Side
from market.wire.sbe import load_schema
from market.wire.schemas import COINBASE_DERIVATIVES

_SCHEMA: Final = load_schema(COINBASE_DERIVATIVES)
_INSTRUMENT: Final = {"flags": "instrHeader.flags", "side": "instrHeader.side", "wire": "instrHeader.instrumentId"}
_DELETE: Final = _INSTRUMENT | {"order": "orderId"}
_TRADE: Final = _INSTRUMENT | {"price": "price", "quantity": "quantity"}
_FORM: Final = packet_format(
    _SCHEMA,
    {"number": "seqNum", "channel": "channelId", "flags": "flags"},
    {"block": "blockLength"},
    {
        Meaning.PUT: (("OrderPut",), _DELETE | _TRADE),
        Meaning.DELETE: (("OrderDelete",), _DELETE),
        Meaning.TRADE: (("Trade",), _TRADE),
    },
)
_INSTRUMENT_HEADER: Final = 22
"""Bytes that a block with an instrument header begins with."""
_ENDS: Final = 1
_CLEARS: Final = 7
_BUY: Final = 1
_SELL: Final = -1


def _read(messages: PacketDispatcher) -> Reading:
    """Flags and side count only where the block has room for an instrument header."""
    flags, side = messages.fields.flags, messages.fields.side
    touches = ~is_below(number_in(messages.first_word, _FORM.header["block"]), _INSTRUMENT_HEADER)
    buys, sells = side == _BUY, side == _SELL
    return Reading(
        touches=touches,
        side=Mux(buys, BookSide.BID, Mux(sells, BookSide.ASK, BookSide.NONE)),
        aggressor=Mux(buys, Side.BUY, Mux(sells, Side.SELL, Side.NONE)),
        clears=touches & flags[_CLEARS],
        ends=touches & flags[_ENDS],
    )


COINBASE_DERIVATIVES_FEED: Final = OrderFeed(Feed.COINBASE_DERIVATIVES, _FORM, _read)
