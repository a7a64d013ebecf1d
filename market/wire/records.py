"""The decoded form of every venue's messages: one int64 row per record, levels beside it.

A decoder turns raw bytes into

- ``records``: int64[n, WIDTH], one row per record, columns named here;
- ``bids``, ``asks``: int64[m, 2], rows of (price in ticks, quantity in lots), referred to by diff and
  snapshot records; quantity 0 removes a level.

A tick is ``10**-price_decimals`` and a lot ``10**-quantity_decimals`` of the record's market. Columns 7 to 10
mean different things by kind: the levels of a diff or snapshot, the four values of a quote, or a trade.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal

Words = NDArray[np.int64]
"""int64[n]: flat state of kernels."""
Rows = NDArray[np.int64]
"""int64[n, m], C order."""


class Kind(IntEnum):
    """What a record is."""

    IGNORED = 0
    """A well-formed message that carries neither book nor trades (subscription answers, candles)."""
    DIFF = 1
    SNAPSHOT = 2
    QUOTE = 3
    """Best bid and offer as the venue itself states it."""
    TRADE = 4
    REJECTED = 5
    GAP = 6
    """Messages of the connection are missing: the market's book is no longer known."""


class Reject(IntEnum):
    """Why a message was refused; a refused message changes nothing."""

    NONE = 0
    BAD_TIME = 1
    """The receive time in front of the message cannot be read."""
    FUTURE_TIME = 2
    """The receive time lies far ahead of the messages that follow it."""
    MALFORMED = 3
    """Not the venue's format: broken JSON, cut off, trailing bytes."""
    UNKNOWN_SYMBOL = 4
    """The symbol is not among the markets of the source, or the message needs one and has none."""
    MISSING_FIELD = 5
    BAD_NUMBER = 6
    NEGATIVE = 7
    """A negative price, quantity or identifier, or a price of zero."""
    PRECISION = 8
    """Digits beyond the market's ticks or lots."""
    OVERFLOW = 9
    """A number beyond 18 digits, or a contract quantity too large to convert."""
    TOO_LONG = 10
    """More levels or records than the decoder's arrays hold."""


class Column(IntEnum):
    """Columns of a record."""

    KIND = 0
    RECEIVE_NS = 1
    EVENT_NS = 2
    """The venue's own time, 0 when it sends none."""
    MARKET = 3
    """Index into the source's markets."""
    FIRST_ID = 4
    LAST_ID = 5
    PREVIOUS_ID = 6
    """Identifier that the message says it follows; -1 when the venue sends none."""
    BIDS_START = 7
    BIDS = 8
    ASKS_START = 9
    ASKS = 10
    REASON = 11
    LINE = 12
    CYCLES = 13
    """Time-stamp counter ticks that decoding took."""
    CHECKSUM = 14
    """CRC-32 of the book that the message states, 0 to 2**32 - 1; -1 when it states none."""
    SHAPE = 15
    """How the message writes its levels, see ``levels.pack_shape``; 0 when it does not matter."""


WIDTH: Final = 16

KIND: Final = int(Column.KIND)
RECEIVE_NS: Final = int(Column.RECEIVE_NS)
EVENT_NS: Final = int(Column.EVENT_NS)
MARKET: Final = int(Column.MARKET)
FIRST_ID: Final = int(Column.FIRST_ID)
LAST_ID: Final = int(Column.LAST_ID)
PREVIOUS_ID: Final = int(Column.PREVIOUS_ID)
BIDS_START: Final = int(Column.BIDS_START)
BIDS: Final = int(Column.BIDS)
ASKS_START: Final = int(Column.ASKS_START)
ASKS: Final = int(Column.ASKS)
BID_PRICE: Final = 7
BID_QUANTITY: Final = 8
ASK_PRICE: Final = 9
ASK_QUANTITY: Final = 10
PRICE: Final = 7
QUANTITY: Final = 8
AGGRESSOR: Final = 9
TRADE_ID: Final = 10
REASON: Final = int(Column.REASON)
LINE: Final = int(Column.LINE)
CYCLES: Final = int(Column.CYCLES)
CHECKSUM: Final = int(Column.CHECKSUM)
SHAPE: Final = int(Column.SHAPE)

IGNORED: Final = int(Kind.IGNORED)
DIFF: Final = int(Kind.DIFF)
SNAPSHOT: Final = int(Kind.SNAPSHOT)
QUOTE: Final = int(Kind.QUOTE)
TRADE: Final = int(Kind.TRADE)
REJECTED: Final = int(Kind.REJECTED)
GAP: Final = int(Kind.GAP)

AGGRESSOR_NONE: Final = 0
AGGRESSOR_BUY: Final = 1
AGGRESSOR_SELL: Final = 2

# Cursor words that a decoder reads and writes: where it stands in its input and in its outputs.
CURSOR_POSITION: Final = 0
CURSOR_RECORDS: Final = 1
CURSOR_BIDS: Final = 2
CURSOR_ASKS: Final = 3
CURSOR_LINE: Final = 4
CURSOR_ROOM: Final = 5
"""Records that the batch holds."""
CURSOR_SCRATCH: Final = 8
"""First of the words in which a decoder puts a message together."""
CURSOR_WIDTH: Final = 40


class Batch:
    """Arrays that a decoder fills, and its cursor into them.

    Parameters
    ----------
    records, levels: capacities; a message of more levels than ``levels`` on one side is rejected.

    Members
    -------
    addresses: of records, bids and asks, for compiled code; the arrays stay where they are.
    """

    def __init__(self, records: int = 4096, levels: int = 65536) -> None:
        if records < 1 or levels < 1:
            raise Fatal(f"a batch needs room for records and levels, was {records} and {levels}")
        self.records: Rows = np.zeros((records, WIDTH), dtype=np.int64)
        self.bids: Rows = np.zeros((levels, 2), dtype=np.int64)
        self.asks: Rows = np.zeros((levels, 2), dtype=np.int64)
        self.cursor: Words = np.zeros(CURSOR_WIDTH, dtype=np.int64)
        self.cursor[CURSOR_ROOM] = records
        self.addresses = (self.records.ctypes.data, self.bids.ctypes.data, self.asks.ctypes.data)

    @property
    def count(self) -> int:
        """Records decoded since the last ``clear``."""
        return int(self.cursor[CURSOR_RECORDS])

    @property
    def position(self) -> int:
        """Bytes of the input that are decoded."""
        return int(self.cursor[CURSOR_POSITION])

    @property
    def line(self) -> int:
        """Number of the next line of the input."""
        return int(self.cursor[CURSOR_LINE])

    def clear(self) -> None:
        """Forget the decoded records and levels; the input position stays."""
        self.cursor[CURSOR_RECORDS] = self.cursor[CURSOR_BIDS] = self.cursor[CURSOR_ASKS] = 0

    def restart(self, line: int = 1) -> None:
        """Begin a new input buffer whose first line has the given number."""
        self.cursor[:] = 0
        self.cursor[CURSOR_ROOM] = len(self.records)
        self.cursor[CURSOR_LINE] = line

    def filled(self) -> Rows:
        """View of the decoded records."""
        return self.records[: self.count]
