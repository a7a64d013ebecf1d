"""Events as messages: the fields of the schema, and a refusal of what they cannot carry."""

from __future__ import annotations

import numpy as np
import pytest

from market.engine import QUOTE_COLUMNS
from market.errors import Rejected
from market.fastpath.layout import SCHEMA
from market.wire.sbe import decode
from sim.rtl.host_events import quote_messages, trade_messages

QUOTE = (3, 2, -9, -8, 1 << 62, 100, 5, 101, -6, 77)
TRADE = (3, 2, -9, -8, 2, -(1 << 63), 9)


def test_quotes_become_their_messages() -> None:
    messages = quote_messages(np.array([QUOTE, QUOTE], dtype=np.int64))
    assert len(messages) == 2
    decoded = decode(SCHEMA, messages[1].tobytes())
    assert decoded.name == "QuoteEvent"
    assert tuple(decoded.fields.values()) == QUOTE[:-1]
    assert len(decoded.fields) == len(QUOTE_COLUMNS) - 1


def test_trades_become_their_messages() -> None:
    decoded = decode(SCHEMA, trade_messages(np.array([TRADE], dtype=np.int64))[0].tobytes())
    assert decoded.name == "TradeEvent"
    assert tuple(decoded.fields.values()) == TRADE


@pytest.mark.parametrize(
    ("column", "value"), [(0, 1 << 16), (0, -1), (1, 256), (2, 128), (2, -129), (3, 1_000)], ids=str
)
def test_numbers_that_do_not_fit_are_refused(column: int, value: int) -> None:
    event = np.array([QUOTE], dtype=np.int64)
    event[0, column] = value
    with pytest.raises(Rejected, match=f"{value}; a message can carry"):
        quote_messages(event)
