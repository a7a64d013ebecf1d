"""Flat state of a backtest: one header, one row per market; books, orders and rings stand in arrays of their own."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline
from market.native.memory import get

# Words of the header.
NOW: Final = 0
MARKETS: Final = 1
TAPE_ROWS: Final = 2
PLAYED: Final = 3
"""Tape rows that the exchange has played."""
RECEIVED: Final = 4
"""Tape rows that the strategy has received."""
NEXT_REQUEST_NS: Final = 5
"""When the first request arrives at its exchange, FOREVER when none is on its way."""
NEXT_REPORT_NS: Final = 6
"""When the first report arrives at the strategy."""
WAKES: Final = 7
"""Wake conditions in use are among the first so many."""
LEVELS_PLAYED: Final = 8
"""Book levels and trades that the exchange has played."""
LEVELS_RECEIVED: Final = 9
FAULT: Final = 10
"""1 when an account overflowed."""
KEEPS_RECEIVED: Final = 11
"""Whether books are also kept as the strategy has received them."""
TAPE: Final = 12
"""Addresses of the tape's rows, of their order of receipt, of their levels, of the wake conditions and of scratch."""
TAPE_RECEIVED: Final = 13
TAPE_BIDS: Final = 14
TAPE_ASKS: Final = 15
WAKE_ROWS: Final = 16
SCRATCH: Final = 17
"""One word for each own order that may rest in a market."""
TAPE_OPERATIONS: Final = 18
HEADER_WORDS: Final = 24

# Words of a market, the first of them addresses.
EXCHANGE_BIDS: Final = 0
EXCHANGE_ASKS: Final = 1
RECEIVED_BIDS: Final = 2
RECEIVED_ASKS: Final = 3
STORE: Final = 4
"""Own resting orders, laid out by ``sim.matching.queues``."""
PLACES: Final = 5
"""Place in the queue of each of them, rows of PLACE_WORDS."""
REQUESTS: Final = 6
REPORTS: Final = 7
SAMPLES: Final = 8
"""Latency samples, rows of (request, exchange, response) times in ns."""
REQUEST_ROOM: Final = 9
REQUEST_HEAD: Final = 10
REQUEST_TAIL: Final = 11
REPORT_ROOM: Final = 12
REPORT_HEAD: Final = 13
REPORT_TAIL: Final = 14
SAMPLE_COUNT: Final = 15
ENTRY_AT: Final = 16
RESPONSE_AT: Final = 17
ENTRY_NS: Final = 18
RESPONSE_NS: Final = 19
LAST_ARRIVAL_NS: Final = 20
LAST_RESPONSE_NS: Final = 21
MODEL: Final = 22
EXPONENT_MILLIONTHS: Final = 23
LOTS_PER_UNIT: Final = 24
PARTIAL: Final = 25
SHARED: Final = 26
IMPACT: Final = 27
MAKER_PPB: Final = 28
TAKER_PPB: Final = 29
POSITION: Final = 30
CASH: Final = 31
FEES: Final = 32
FILLS: Final = 33
TRADED_LOTS: Final = 34
EXCHANGE_KNOWN: Final = 35
"""Whether the recording knows the book at this time."""
RECEIVED_KNOWN: Final = 36
TOP_BID: Final = 37
"""Best prices as received, NO_PRICE for none, and their lots."""
TOP_BID_LOTS: Final = 38
TOP_ASK: Final = 39
TOP_ASK_LOTS: Final = 40
LAST_TRADE_PRICE: Final = 41
"""Of the last trade received, 0 before the first."""
LAST_TRADE_LOTS: Final = 42
LAST_TRADE_AGGRESSOR: Final = 43
OVERSHOOT: Final = 44
STATED_BID: Final = 45
"""Best bid of a quote that is newer than the book, NO_PRICE without one, and its lots; then the ask's."""
STATED_BID_LOTS: Final = 46
STATED_ASK: Final = 47
STATED_ASK_LOTS: Final = 48
RECORDED: Final = 49
"""Orders of everybody else where the feed states them, laid out by ``market.book.order_store``; 0 where it does not."""
GENERATION: Final = 50
"""Number of the last restated book; the last bit of its orders' priorities is the same."""
OWES: Final = 51
"""Whether own orders await what a trade took ahead of them."""
REPORT_SPARE: Final = 52
"""Most reports that a row of the tape or a request makes besides one for each own order."""
LAST_LEFT: Final = 53
"""Id of the recorded order that left last."""
FUNDING: Final = 54
"""Funding paid, below 0: received."""
SLIPPAGE: Final = 55
SLIPPAGE_PPB: Final = 56
SLIPPAGE_ROOT: Final = 57
"""Root of the reference worth, in price counts times lots."""
ARRIVED: Final = 58
"""Recorded orders that came so far; twice the number, and the last bit of the generation, is an order's priority."""
MARKET_WORDS: Final = 60

# Words of a place in a queue.
FRONT: Final = 0
"""Lots ahead, in units of 2**-QUEUE_BITS; 0 or less: the order is the first. Whole lots where orders are recorded."""
TRADED: Final = 1
"""Lots traded at the price since the level was last stated; where orders are recorded, those that traded ahead in this
transaction and are still to leave."""
STAMP: Final = 2
"""Where orders are recorded: those of a smaller priority stand ahead."""
PLACE_WORDS: Final = 4


@inline
def market_at(state: int, market: int) -> int:
    """Address of a market's row."""
    return state + 8 * (HEADER_WORDS + MARKET_WORDS * market)


@inline
def place_of(row: int, order: int) -> int:
    """Address of an order's place in its queue."""
    return get(row, PLACES) + 8 * PLACE_WORDS * order
