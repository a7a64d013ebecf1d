"""Rows of the backtest: the tape that is played, requests on their way, reports on theirs, wake conditions."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

FOREVER: Final = (1 << 62) - 1
"""Later than any time."""


class TapeKind(IntEnum):
    """What a row of the tape is."""

    DIFF = 1
    SNAPSHOT = 2
    TRADE = 3
    GAP = 4
    """The recording lost the book's sequence: nothing is known of the book until the next snapshot."""
    QUOTE = 5
    """Best bid and offer as the venue states them, newer than the book."""
    OLDER_DIFF = 6
    """An update of the book that the quote before it contains already."""
    ORDERS = 7
    """A transaction of a feed that states every order: a stretch of operations on single orders."""
    FUNDING = 8
    """Funding is paid on what is held."""


class TapeColumn(IntEnum):
    """Columns of the tape; a row is one cache line."""

    KIND = 0
    MARKET = 1
    EXCHANGE_NS = 2
    """When it happened, on the clock of the receiver."""
    RECEIVE_NS = 3
    BIDS_START = 4
    BIDS = 5
    ASKS_START = 6
    ASKS = 7


TAPE_WIDTH: Final = 8

TAPE_KIND: Final = int(TapeColumn.KIND)
TAPE_MARKET: Final = int(TapeColumn.MARKET)
EXCHANGE_NS: Final = int(TapeColumn.EXCHANGE_NS)
RECEIVE_NS: Final = int(TapeColumn.RECEIVE_NS)
BIDS_START: Final = int(TapeColumn.BIDS_START)
BIDS: Final = int(TapeColumn.BIDS)
ASKS_START: Final = int(TapeColumn.ASKS_START)
ASKS: Final = int(TapeColumn.ASKS)
# Of a trade, in place of the levels.
TRADE_PRICE: Final = 4
TRADE_LOTS: Final = 5
TRADE_AGGRESSOR: Final = 6
TRADE_ID: Final = 7
# Of a quote: lots of 0 for a side that is empty.
QUOTE_BID: Final = 4
QUOTE_BID_LOTS: Final = 5
QUOTE_ASK: Final = 6
QUOTE_ASK_LOTS: Final = 7

# Of a transaction: its operations, and whether they are all orders that there are.
ORDERS_START: Final = 4
ORDERS: Final = 5
RESTATES: Final = 6

TAPE_DIFF: Final = int(TapeKind.DIFF)
TAPE_SNAPSHOT: Final = int(TapeKind.SNAPSHOT)
TAPE_TRADE: Final = int(TapeKind.TRADE)
TAPE_GAP: Final = int(TapeKind.GAP)
TAPE_QUOTE: Final = int(TapeKind.QUOTE)
TAPE_OLDER_DIFF: Final = int(TapeKind.OLDER_DIFF)
TAPE_ORDERS: Final = int(TapeKind.ORDERS)
TAPE_FUNDING: Final = int(TapeKind.FUNDING)
# Of funding: its rate in parts per billion of the worth, and twice the mark price, 0: the sum of the best prices.
FUNDING_PPB: Final = 4
FUNDING_MARK_DOUBLED: Final = 5


class Operation(IntEnum):
    """What happened to a recorded order. Trades come first in their transaction."""

    TRADE = 1
    """An incoming order traded lots at a price with orders of ``SIDE``; which of them follows from later operations."""
    PUT = 2
    """An order came to stand behind all others of its price. In a restated book: it stands there."""
    REDUCE = 3
    """An order has fewer lots now and keeps its place."""
    DELETE = 4
    CLEAR = 5
    """No recorded order stands any more."""


class OperationColumn(IntEnum):
    """Columns of an operation; a row is one cache line."""

    KIND = 0
    SIDE = 1
    """1 bid, 0 ask; of a trade the side that was taken from, -1 when the venue does not say."""
    PRICE = 2
    LOTS = 3
    """Of a trade those that traded, else those that the order has."""
    ORDER = 4
    LEVEL_LOTS = 5
    """What the price shows after the transaction."""
    WAS_PRICE = 6
    """Of an order that was put anew its price before, -1 for another."""
    AGGRESSOR = 7


OPERATION_WIDTH: Final = 8


class Request(IntEnum):
    """Words of a request: those of ``sim.matching.layout.Command``, then its times."""

    KIND = 0
    ID = 1
    OWNER = 2
    SIDE = 3
    PRICE = 4
    LOTS = 5
    TERM = 6
    PREVENTION = 7
    SENT_NS = 8
    ARRIVAL_NS = 9


REQUEST_WIDTH: Final = 10


class Report(IntEnum):
    """Words of a report: what became of an order, and the account after it."""

    KIND = 0
    """A ``sim.matching.layout.EventKind``: ACCEPTED, RESTED, TRADED, CANCELLED, EXPIRED or REJECTED."""
    ID = 1
    OWNER = 2
    SIDE = 3
    PRICE = 4
    LOTS = 5
    """Traded, or what the report is about: resting, cancelled, expired, refused."""
    LEFT = 6
    """What the order has left after it."""
    LIQUIDITY = 7
    """``market.orders.kinds.Liquidity`` of a trade, else 0."""
    FEE = 8
    """In price counts times lots, rounded up; negative for a rebate."""
    REASON = 9
    """A ``sim.matching.layout.Reason``; UNFILLED when the venue was too busy or the book is not known."""
    EXCHANGE_NS = 10
    RECEIVE_NS = 11
    POSITION = 12
    """Lots held after it. CASH: received less paid, in price counts times lots. FEES: paid."""
    CASH = 13
    FEES = 14
    AHEAD = 15
    """Lots ahead of an order that came to rest; of a refused cancellation 1."""


REPORT_WIDTH: Final = 16
FUNDED: Final = 32
"""``Report.KIND`` of a funding payment: LOTS held, PRICE twice the mark, and in FEE what was paid, below 0: received.

Its id is -1; the fees after it are those of before, funding is counted by itself.
"""


class QueueModel(IntEnum):
    """How a resting order's place in its queue follows from what a level lost.

    RISK_AVERSE: the place improves by trades at the price alone, and a level never has more ahead of an order than it
    displays. The others split what a level lost beyond its trades between ahead and behind: the share behind is, of
    f and the lots ahead (a) and behind (b),

    POWER, LOG: f(b) / (f(b) + f(a)). POWER_2, LOG_2: f(b) / f(b + a). POWER_3: 1 - f(a / (a + b)),

    with f(x) = x ** n, or log(1 + x) of x in units of the base asset. After Rigtorp, "Estimating order queue
    position" (2013), in the forms that hftbacktest documents.
    """

    RISK_AVERSE = 0
    POWER = 1
    POWER_2 = 2
    POWER_3 = 3
    LOG = 4
    LOG_2 = 5


class Slippage(IntEnum):
    """By how much a fill of an order that takes is worse than what the book displays, never beyond its limit.

    FIXED: a share of the price. SPREAD: a share of the distance of the best prices when the order arrives. SQUARE_ROOT:
    a share of the price at the reference worth, times the root of the order's worth over that.
    """

    NONE = 0
    FIXED = 1
    SPREAD = 2
    SQUARE_ROOT = 3


QUEUE_BITS: Final = 20
"""Lots ahead are counted in units of 2**-QUEUE_BITS."""
QUEUE_UNIT: Final = 1 << QUEUE_BITS


class Outcome(IntEnum):
    """Why ``advance`` returned."""

    TIME = 0
    """The time is reached."""
    REPORT = 1
    """Reports have arrived."""
    WAKE = 2
    """A wake condition holds; which says ``Wake.FIRED``."""
    END = 3
    """The tape is over, nothing is on its way, and the time was FOREVER."""
    ROOM = 4
    """Reports must be read before more can be made."""
    OVERFLOW = 5
    """An account left the range of 2**61."""
