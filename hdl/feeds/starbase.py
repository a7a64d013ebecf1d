"""Deribit Starbase: single orders (docs/fastpath.md, rules 57 to 72)."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Const, Mux

from hdl.books.records import BookSide
from hdl.feeds.order_feed import Meaning, OrderFeed, Reading
from hdl.sbe.framing import number_in
from hdl.sbe.packet import PacketDispatcher
from hdl.sbe.packet_format import packet_format
from market.fastpath.specification import Feed, Side
from market.wire.sbe import load_schema
from market.wire.schemas import DERIBIT_STARBASE

_DELETE: Final = {"order": "orderId", "wire": "instrumentId"}
_REDUCE: Final = _DELETE | {"quantity": "quantityMantissa"}
_PUT: Final = _REDUCE | {"price": "price"}
_TRADE: Final = {
    "wire": "instrumentId",
    "quantity": "fillQtyMantissa",
    "price": "fillPrice",
    "maker_flags": "makerFlags",
}
_FORM: Final = packet_format(
    load_schema(DERIBIT_STARBASE),
    {"number": "seqNum", "channel": "channelId", "flags": "type"},
    {"flags": "flags"},
    {
        Meaning.PUT: (("BidPut", "AskPut"), _PUT),
        Meaning.REDUCE: (("BidQtyReduced", "AskQtyReduced"), _REDUCE),
        Meaning.DELETE: (("BidDelete", "AskDelete"), _DELETE),
        Meaning.TRADE: (("Trade",), _TRADE),
    },
)
_ENDS: Final = 1
_MAKER_SELLS: Final = 0


def _read(messages: PacketDispatcher) -> Reading:
    """Templates of asks are odd, those of bids even."""
    is_ask = number_in(messages.first_word, _FORM.template)[0]
    maker_sells = messages.fields.maker_flags[_MAKER_SELLS]
    return Reading(
        touches=Const(0),
        side=Mux(is_ask, Const(BookSide.ASK, BookSide), Const(BookSide.BID, BookSide)),
        aggressor=Mux(maker_sells, Const(Side.BUY, Side), Const(Side.SELL, Side)),
        clears=Const(0),
        ends=number_in(messages.first_word, _FORM.header["flags"])[_ENDS],
    )


STARBASE: Final = OrderFeed(Feed.STARBASE, _FORM, _read)
