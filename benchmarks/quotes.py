"""The quote events of a recording, as an engine is fed with them and as Binance's SBE messages."""

from __future__ import annotations

import numpy as np

from benchmarks.recordings import Recording
from benchmarks.replays import Replay
from market.engine import Engine
from market.fastpath.entries import QUOTE_COLUMNS
from market.pipeline import layout
from market.wire.binance_sbe import encode_best_bid_ask
from market.wire.records import Rows, Words
from sim.replay.arming import arm

_SYMBOL = b"BTCUSDT"
_COLUMNS = [
    layout.EVENT_INSTRUMENT,
    layout.EVENT_VENUE,
    layout.EVENT_PRICE_EXPONENT,
    layout.EVENT_QUANTITY_EXPONENT,
    layout.EVENT_SEQUENCE,
    layout.EVENT_BID_PRICE,
    layout.EVENT_BID_QUANTITY,
    layout.EVENT_ASK_PRICE,
    layout.EVENT_ASK_QUANTITY,
    layout.EVENT_TIME,
]


def quote_events(recording: Recording) -> Rows:
    """Every quote event of a recording in order: int64[n, 10] as ``CpuEngine.push_quotes`` takes them."""
    events = Replay(recording).events()
    quotes = events[events[:, layout.EVENT_TYPE] == layout.QUOTE_EVENT]
    rows: Rows = np.ascontiguousarray(quotes[:, _COLUMNS])
    assert rows.shape[1] == QUOTE_COLUMNS
    return rows


def arm_for(engine: Engine, recording: Recording, events: Rows) -> None:
    """Bring an engine to trading just before the first event."""
    arm(engine, recording.session.tables, int(events[0, -1]))


def best_bid_ask_messages(events: Rows) -> list[bytes]:
    """The events as BestBidAsk messages of Binance's stream."""
    out = np.zeros(128, dtype=np.uint8)
    messages = []
    for row in events.tolist():
        values = (row[9] // 1000, row[4], row[2], row[3], row[5], row[6], row[7], row[8])
        fields: Words = np.array(values, dtype=np.int64)
        length = encode_best_bid_ask(fields, _SYMBOL, out)
        messages.append(out[:length].tobytes())
    return messages
