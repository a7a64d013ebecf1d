"""Quote and trade events that the host feeds as messages: their fields as feeds give them."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.control.message import message_layout, message_view
from hdl.records import INSTRUMENT_NUMBER_BITS, VENUE_NUMBER_BITS, quote_layout, trade_layout

QUOTE_FIELDS: Final = {
    "price_exponent": "priceExponent",
    "quantity_exponent": "quantityExponent",
    "sequence": "sequence",
    "bid_price": "bidPrice",
    "bid_quantity": "bidQuantity",
    "ask_price": "askPrice",
    "ask_quantity": "askQuantity",
}
TRADE_FIELDS: Final = {
    "instrument": "instrument",
    "venue": "venue",
    "price_exponent": "priceExponent",
    "quantity_exponent": "quantityExponent",
    "aggressor": "aggressor",
    "price": "price",
    "quantity": "quantity",
}
EVENT_BITS: Final = max(message_layout(name).size for name in ("QuoteEvent", "TradeEvent"))


class HostEvents(wiring.Component):
    """The fields of an event that came as a message (QuoteEvent, TradeEvent); combinational.

    Members
    -------
    message: the event's bytes, header included.
    instrument, venue, quote: what a quote event says.
    trade: what a trade event says; of its aggressor the bits of a ``Side``.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "message": In(EVENT_BITS),
                "instrument": Out(INSTRUMENT_NUMBER_BITS),
                "venue": Out(VENUE_NUMBER_BITS),
                "quote": Out(quote_layout),
                "trade": Out(trade_layout),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        quote = message_view(Value.cast(self.message), "QuoteEvent")
        trade = message_view(Value.cast(self.message), "TradeEvent")
        m.d.comb += [self.instrument.eq(quote.instrument), self.venue.eq(quote.venue)]
        m.d.comb += [self.quote[name].eq(quote[field]) for name, field in QUOTE_FIELDS.items()]
        m.d.comb += [self.trade[name].eq(trade[field]) for name, field in TRADE_FIELDS.items()]
        return m
