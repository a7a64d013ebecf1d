"""The formats of the coming feeds: which messages and fields of each schema the fast loop would take."""

from __future__ import annotations

from typing import Final

from hdl.sbe.packet_format import PacketFormat, packet_format
from market.wire.sbe import load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_STARBASE

_PUT: Final = ("orderId", "instrumentId", "quantityMantissa", "price", "sortOrderId")
_REDUCED: Final = ("orderId", "instrumentId", "quantityMantissa")
_DELETE: Final = ("orderId", "instrumentId")
_INSTRUMENT: Final = ("instrHeader.flags", "instrHeader.side", "instrHeader.instrumentId", "instrHeader.instrSeqNum")

STARBASE_MESSAGES: Final = {
    "BidPut": _PUT,
    "AskPut": _PUT,
    "BidQtyReduced": _REDUCED,
    "AskQtyReduced": _REDUCED,
    "BidDelete": _DELETE,
    "AskDelete": _DELETE,
    "TradeSummary": ("instrumentId", "totalFilledMantissa", "deepestPrice", "tradeCount", "takerFlags"),
    "Trade": ("matchId", "instrumentId", "makerOrderId", "fillQtyMantissa", "fillPrice", "makerFlags"),
}
"""Order by order and trades: what a book is made of."""

COINBASE_DERIVATIVES_MESSAGES: Final = {
    "OrderPut": (*_INSTRUMENT, "orderId", "price", "quantity"),
    "OrderDelete": (*_INSTRUMENT, "orderId"),
    "ImpliedOrderUpdate": (*_INSTRUMENT, "bestPrice", "nextPrice", "bestQty", "nextQty"),
    "Trade": (*_INSTRUMENT, "matchId", "price", "quantity"),
    "TradeSummary": (*_INSTRUMENT, "aggressorOrderId", "vwapPrice", "deepestPrice", "quantity"),
    "TradingStatusUpdate": (*_INSTRUMENT, "limitDownPrice", "limitUpPrice", "tradingStatus"),
}
"""Order by order, trades, and whether an instrument trades."""

DEPTH_FIELDS: Final = ("firstBookUpdateId", "lastBookUpdateId", "priceExponent", "qtyExponent")
DEPTH_GROUPS: Final = {"bids": ("price", "qty"), "asks": ("price", "qty")}
"""Fields of Binance's depth updates."""


def starbase_format() -> PacketFormat:
    """Deribit Starbase."""
    packet, header = ("sendingTime", "seqNum", "channelId", "type"), ("flags", "transactTime")
    return packet_format(load_schema(DERIBIT_STARBASE), packet, header, STARBASE_MESSAGES)


def coinbase_derivatives_format() -> PacketFormat:
    """Coinbase Derivatives."""
    packet = ("sendingTime", "seqNum", "channelId", "flags", "snapshotInstrumentId")
    return packet_format(load_schema(COINBASE_DERIVATIVES), packet, ("version",), COINBASE_DERIVATIVES_MESSAGES)
