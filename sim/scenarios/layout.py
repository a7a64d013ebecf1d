"""Words of the compiled market: whole numbers, real ones, and the rows of messages that it leaves behind."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]
"""int64[n]."""
Rows = NDArray[np.int64]
"""int64[n, m], C order."""
Values = NDArray[np.float64]
"""float64[n] or float64[n, m], C order."""

STEP_NS: Final = 1_000_000
"""Traders act in steps of this; within one, messages follow each other in microseconds."""
ROOM: Final = 512
"""Levels that a side can hold."""
DIRTY_ROOM: Final = 8_192
"""Changes of levels between two depth messages."""
ROWS_ROOM: Final = 65_536
LEVELS_ROOM: Final = 262_144
MESSAGE_WIDTH: Final = 11
KNOTS: Final = 129
"""Points of a table of quantiles, at equal steps of probability."""
MOST_EAGER: Final = 25.0
"""Eagerness beyond which nobody trades more."""
PHOTOGRAPH_STEPS: Final = 30_000
"""Between two requests for the whole book."""
BID: Final = 0
ASK: Final = 1


class Message(IntEnum):
    """Kinds of rows."""

    DEPTH = 0
    SNAPSHOT = 1
    QUOTE = 2
    TRADE = 3


class Column(IntEnum):
    """Columns of a row; values by kind.

    DEPTH: first, last, previous id, start and count of bids, start and count of asks. SNAPSHOT: id at FIRST, levels as
    DEPTH. QUOTE: id at FIRST, then bid, bid lots, ask, ask lots. TRADE: id at FIRST, then price, lots, 1 for a sale.
    """

    KIND = 0
    RECEIVE_NS = 1
    EVENT_MS = 2
    FIRST = 3
    A = 4
    B = 5
    C = 6
    D = 7
    E = 8
    F = 9


class Fault(IntEnum):
    """What a feed does wrong for a while."""

    STUCK = 1
    """Nothing arrives; what was held up comes at once when it is over."""
    CROSSED = 2
    """Quotes state a bid above the offer now and then."""


class Whole(IntEnum):
    """Whole numbers of the state."""

    RANDOM = 0
    STEP = 1
    """Milliseconds since the start."""
    END_STEP = 2
    START_NS = 3
    NOW_NS = 4
    LAST_RECEIVE_NS = 5
    UPDATE_ID = 6
    FIRST_ID = 7
    """First change since the last depth message; 0 for none."""
    PREVIOUS_ID = 8
    TRADE_ID = 9
    COUNT = 10
    """Levels of the bids; the next word is that of the asks."""
    DIRTY = 12
    """Changed levels of the bids; the next word is that of the asks."""
    ROWS = 14
    LEVELS = 15
    NEXT_DEPTH = 16
    PHOTOGRAPH = 17
    """Step at which the whole book is written next."""
    QUOTED = 18
    """Bid, bid lots, ask, ask lots of the last quote."""
    LAST_SIDE = 22
    PATH_AT = 23
    REGIME_AT = 24
    FAULT_AT = 25
    VOLUME = 26
    """Lots traded so far."""
    PANIC_AT = 28
    FORCED_SALES = 27
    """Lots sold by liquidations so far."""
    HURRIED = 29
    """Side of the book that the last one in a hurry took."""
    SIZE = 30


class Real(IntEnum):
    """Real numbers of the state; shares of the price where nothing is said."""

    START_PRICE = 0
    """In ticks."""
    WALK = 1
    """What news nobody planned made of the price; 1 at the start."""
    DISLOCATION = 2
    """How far forced sales hold the price below its worth."""
    FORCED = 3
    """Forced sales that have begun, as the dislocation that they will make."""
    CLUSTER = 4
    """Worth at which the next cluster of liquidations lies, of the start; 0 for none."""
    VARIANCE = 5
    """Of the price, bps squared per second, over the last two seconds or so."""
    STARTLE = 6
    """Sum of moves in bps, forgotten within a quarter of a second."""
    EXCITED_FAST = 7
    """Orders per step that earlier orders provoke, forgotten within milliseconds."""
    EXCITED_SLOW = 8
    """The same, forgotten within a quarter of a second."""
    SPREAD = 9
    """What makers ask for, in ticks."""
    DEPTH = 10
    """Size of orders against the calm one."""
    TARGET = 11
    """What the price should be, in ticks."""
    LAST_MID = 12
    LAST_TARGET = 13
    ACTIVITY = 14
    """Orders against the usual number."""
    SIGMA = 15
    """Size of the jumps of the walk against the calm one."""
    LIQUIDATION = 16
    """Mean size of a cluster of liquidations, as the dislocation that it makes; 0 for none."""
    SPACING = 17
    """Mean distance of clusters."""
    CHOP = 18
    """Standard deviation of a jump of the dislocation in full panic."""
    PANIC = 19
    FLOOR = 20
    """Size of orders against the calm one when nobody wants to trade."""
    EAGERNESS = 21
    """How much is traded against the usual: 1 in the mean, far more while somebody trades in a hurry."""
    PUSH = 22
    """What those in a hurry will move the dislocation by."""
    HABITS = 23
    """Where the numbers of ``behaviour`` begin, see ``Habit``."""
    SIZE = 51


class Habit(IntEnum):
    """Words of ``behaviour.Behaviour`` in the real numbers."""

    SPONTANEOUS = 23
    PROVOKED_FAST = 24
    PROVOKED_SLOW = 25
    LIVELY_BPS = 26
    LIVELIEST = 27
    MARKET_SHARE = 28
    SAME_SIDE = 29
    USUAL_LOTS = 30
    JUMPS = 31
    TAKEN = 32
    REACTION = 33
    NARROWING = 34
    WIDENING = 35
    STARTLED_TICKS = 36
    FEARED_BPS = 37
    WIDEST_BPS = 38
    THIN_VARIANCE = 39
    GAP_OF_SPREAD = 40
    STARTLED_ORDERS = 41
    FORCED_ORDERS = 42
    FORCED_LOTS = 43
    BARGAIN_ORDERS = 44
    BARGAIN_AT = 45
    CHURN = 46
    HURRIES = 47
    HURRY_OF_JUMP = 48
    PATIENT = 49
    BURST_SIZE = 50
