"""Which messages of which schema have generated kernels. ``python -m market.wire.sbe.generated`` writes them."""

from __future__ import annotations

from pathlib import Path

from market.wire.binary import FIRST_FIELD
from market.wire.sbe.generator import Choice, kernel_source
from market.wire.sbe.reader import load_schema
from market.wire.schemas import BINANCE_STREAM, COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE

FOLDER = Path(__file__).resolve().parent.parent / "compiled"


def _choice(messages: dict[str, str], slots: dict[str, int], *writes: str) -> Choice:
    return Choice(messages, slots, frozenset(writes), FIRST_FIELD)


CHOICES = {
    BINANCE_STREAM: _choice(
        {
            "trades": "TradesStreamEvent",
            "best_bid_ask": "BestBidAskStreamEvent",
            "depth_snapshot": "DepthSnapshotStreamEvent",
            "depth_diff": "DepthDiffStreamEvent",
        },
        {"bids": 0, "asks": 1, "trades": 2},
        "trades",
        "best_bid_ask",
    ),
    DERIBIT_MULTICAST: _choice(
        {"book": "Book", "trades": "Trades", "ticker": "Ticker", "snapshot": "Snapshot"},
        {"changes": 0, "levels": 1, "trades": 2},
    ),
    DERIBIT_STARBASE: _choice(
        {
            "bid_put": "BidPut",
            "ask_put": "AskPut",
            "bid_quantity_reduced": "BidQtyReduced",
            "ask_quantity_reduced": "AskQtyReduced",
            "bid_delete": "BidDelete",
            "ask_delete": "AskDelete",
            "trade_summary": "TradeSummary",
            "trade": "Trade",
            "instrument_info": "InstrumentInfo",
            "instrument_status": "InstrumentStatusUpdate",
            "snapshot_header": "SnapshotHeader",
            "snapshot_trailer": "SnapshotTrailer",
        },
        {},
    ),
    COINBASE_DERIVATIVES: _choice(
        {
            "order_put": "OrderPut",
            "order_delete": "OrderDelete",
            "implied_order_update": "ImpliedOrderUpdate",
            "trade": "Trade",
            "trade_amend": "TradeAmend",
            "trade_bust": "TradeBust",
            "trade_summary": "TradeSummary",
            "trading_status_update": "TradingStatusUpdate",
            "order_snapshot": "OrderSnapshot",
        },
        {},
    ),
}


def target(schema: Path) -> Path:
    """The module that is generated from a schema."""
    return FOLDER / f"{schema.stem}.py"


def write_all() -> None:
    """Write every generated module anew."""
    for schema, choice in CHOICES.items():
        target(schema).write_text(kernel_source(load_schema(schema), choice), encoding="utf-8")


if __name__ == "__main__":
    write_all()
