"""A backtest from Python: markets, orders, and time that passes until something happens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from market.book.ladder import SIDE_WORDS
from market.book.order_store import empty_store
from market.errors import Fatal, Rejected, Retry
from market.pipeline.wake_conditions import WAKE_WIDTH, Wake, WakeKind
from market.wire.records import Rows, Words
from sim.backtest import state as words
from sim.backtest.arrivals import REPORTS_PER_REQUEST
from sim.backtest.engine import advance, empty_books, next_at_exchange, send, take_reports
from sim.backtest.latency import Latency
from sim.backtest.layout import (
    FOREVER,
    REPORT_WIDTH,
    REQUEST_WIDTH,
    TAPE_WIDTH,
    Outcome,
    QueueModel,
    Slippage,
)
from sim.backtest.tape import Tape
from sim.matching.layout import LARGEST_CAPACITY, CommandKind, Prevention, Term
from sim.matching.queues import new_state

_MILLION: Final = 1_000_000
_OUTCOMES: Final = tuple(Outcome)
_NO_SAMPLES: Final = np.zeros((1, 3), dtype=np.int64)


@dataclass(frozen=True)
class MatchModel:
    """How own orders are matched in one market.

    Parameters
    ----------
    queue: of resting orders. exponent: n of the POWER models, at least 0.
    partial: whether a trade that reaches an order fills it only by what reaches it; else whole.
    shared: whether own orders at one price share what a trade lets through; else each gets all of it.
    overshoot: whether a level that loses more than stood ahead of an order lets the next trade fill that much more,
        and a probability model reckons with less than nothing ahead. Trades are then exceeded by what they fill; it is
        how hftbacktest reckons, for comparison with it.
    impact: whether what an own order took is gone from the book until the level is stated again.
    maker_ppb, taker_ppb: fees in parts per billion of the worth, below 0 for a rebate.
    slippage: of orders that take. slippage_ppb: its share, of the price or the spread, in parts per billion.
    slippage_worth: of SQUARE_ROOT, the reference, in price counts times lots, at least 1.
    lots_per_unit: lots in one unit of the base asset, for the LOG models.
    """

    queue: QueueModel = QueueModel.RISK_AVERSE
    exponent: float = 3.0
    partial: bool = True
    shared: bool = True
    overshoot: bool = False
    impact: bool = True
    maker_ppb: int = 0
    taker_ppb: int = 0
    slippage: Slippage = Slippage.NONE
    slippage_ppb: int = 0
    slippage_worth: float = 1.0
    latency: Latency = field(default_factory=Latency)
    lots_per_unit: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.exponent <= 64:
            raise Rejected(f"the exponent of the queue model was {self.exponent}; expected 0 to 64")
        if not abs(self.maker_ppb) <= 10**9 or not abs(self.taker_ppb) <= 10**9:
            raise Rejected(f"fees were {self.maker_ppb} and {self.taker_ppb} ppb; expected at most the whole worth")
        if not 0 <= self.slippage_ppb <= 10**9 or not 1 <= self.slippage_worth < 2.0**120:
            raise Rejected(
                f"slippage was {self.slippage_ppb} ppb at a worth of {self.slippage_worth:g}; expected 0 to the whole "
                "price or spread, and a worth of at least one tick times one lot"
            )
        if self.lots_per_unit < 1:
            raise Rejected(f"lots per unit were {self.lots_per_unit}; expected 1 or more")


class Account(NamedTuple):
    """What own orders made of a market, at the exchange: lots, price counts times lots, fills; funding paid."""

    position: int
    cash: int
    fees: int
    fills: int
    traded_lots: int
    funding: int = 0


class Top(NamedTuple):
    """Best prices and their lots; a side that is empty or not known is (-1, 0)."""

    bid: int
    bid_lots: int
    ask: int
    ask_lots: int


class BacktestCore:
    """Own orders against a tape; see docs/backtest.md.

    Parameters
    ----------
    models: one per market of the tape.
    capacity: own orders that may rest in one market, and requests on their way to it.
    keeps_received: whether books are kept as the strategy receives them, which wake conditions and ``top`` need.

    Members
    -------
    lead_ns: no request arrives sooner after it was sent: exchanges may be played so far ahead of who sends them.
    least_response_ns: no report arrives sooner after what it reports.
    """

    def __init__(
        self, tape: Tape, models: Sequence[MatchModel], *, capacity: int = 1024, keeps_received: bool = True
    ) -> None:
        if tape.rows.ndim != 2 or tape.rows.shape[1] != TAPE_WIDTH or tape.bids.shape[1:] != (2,):
            raise Fatal(f"the tape's rows were {tape.rows.shape}, its bids {tape.bids.shape}; see Tape")
        if len(models) != len(tape.markets):
            raise Fatal(f"{len(models)} models were given for {len(tape.markets)} markets; expected one for each")
        if not 1 <= capacity <= LARGEST_CAPACITY:
            raise Fatal(f"the capacity was {capacity} orders; expected 1 to {LARGEST_CAPACITY}")
        self.tape = tape
        self.lead_ns = min(model.latency.least_entry_ns for model in models)
        self.least_response_ns = min(model.latency.least_response_ns for model in models)
        self._capacity = capacity
        self._words: Words = np.zeros(words.HEADER_WORDS + words.MARKET_WORDS * len(models), dtype=np.int64)
        self._words[words.MARKETS] = len(models)
        self._words[words.TAPE_ROWS] = len(tape.rows)
        self._words[words.KEEPS_RECEIVED] = keeps_received
        self._words[words.NEXT_REQUEST_NS] = self._words[words.NEXT_REPORT_NS] = FOREVER
        self._held: list[Rows | Words] = []
        largest = tape.most_operations()
        for market, model in enumerate(models):
            self._place(self._row(market), model, tape.markets[market].most_orders, largest.get(market, 0))
        empty_books(self._words)
        self._wakes: Rows = np.zeros((16, WAKE_WIDTH), dtype=np.int64)
        self._read: Rows = np.zeros((256, REPORT_WIDTH), dtype=np.int64)
        for slot, array in (
            (words.TAPE, tape.rows),
            (words.TAPE_RECEIVED, tape.received),
            (words.TAPE_BIDS, tape.bids),
            (words.TAPE_ASKS, tape.asks),
            (words.TAPE_OPERATIONS, tape.operations),
            (words.WAKE_ROWS, self._wakes),
            (words.SCRATCH, np.zeros(2 * capacity, dtype=np.int64)),
        ):
            self._words[slot] = self._hold(array)
        # Items of a memoryview cost a third of those of an array, and the kernels' own wrappers check nothing.
        self._view = self._words.data
        self._advance, self._send, self._take = advance.direct(), send.direct(), take_reports.direct()
        self._next = next_at_exchange.direct()

    def _row(self, market: int) -> Words:
        start = words.HEADER_WORDS + words.MARKET_WORDS * market
        return self._words[start : start + words.MARKET_WORDS]

    def _hold(self, array: Rows | Words) -> int:
        """Keep an array alive, and give its address; raises Fatal for one that kernels cannot read."""
        if array.dtype != np.int64 or not array.flags.c_contiguous:
            raise Fatal(f"an array of the backtest was {array.dtype}; expected int64, contiguous")
        self._held.append(array)
        return int(array.ctypes.data)

    def _place(self, row: Words, model: MatchModel, most_orders: int, most_operations: int) -> None:
        """A market's arrays and settings."""
        if most_orders:
            # Orders of a restated book come before those that it lacks leave.
            row[words.RECORDED] = self._hold(empty_store(2 * most_orders))
            row[words.LAST_LEFT] = -1
        for slot in (words.EXCHANGE_BIDS, words.EXCHANGE_ASKS, words.RECEIVED_BIDS, words.RECEIVED_ASKS):
            row[slot] = self._hold(np.zeros(SIDE_WORDS, dtype=np.int64))
        row[words.STORE] = self._hold(new_state(self._capacity))
        row[words.PLACES] = self._hold(np.zeros((self._capacity, words.PLACE_WORDS), dtype=np.int64))
        row[words.REQUEST_ROOM] = self._capacity
        row[words.REQUESTS] = self._hold(np.zeros((self._capacity, REQUEST_WIDTH), dtype=np.int64))
        row[words.REPORT_SPARE] = REPORTS_PER_REQUEST + most_operations
        row[words.REPORT_ROOM] = 4 * self._capacity + 2 * int(row[words.REPORT_SPARE])
        row[words.REPORTS] = self._hold(np.zeros((int(row[words.REPORT_ROOM]), REPORT_WIDTH), dtype=np.int64))
        samples = model.latency.samples
        row[words.SAMPLES] = self._hold(np.ascontiguousarray(_NO_SAMPLES if samples is None else samples))
        row[words.SAMPLE_COUNT] = 0 if samples is None else len(samples)
        row[words.ENTRY_NS], row[words.RESPONSE_NS] = model.latency.entry_ns, model.latency.response_ns
        row[words.MODEL], row[words.EXPONENT_MILLIONTHS] = int(model.queue), round(model.exponent * _MILLION)
        row[words.LOTS_PER_UNIT] = model.lots_per_unit
        row[words.PARTIAL], row[words.SHARED], row[words.IMPACT] = model.partial, model.shared, model.impact
        row[words.OVERSHOOT] = model.overshoot
        row[words.SLIPPAGE], row[words.SLIPPAGE_PPB] = int(model.slippage), model.slippage_ppb
        row[words.SLIPPAGE_ROOT] = max(round(math.sqrt(model.slippage_worth)), 1)
        row[words.MAKER_PPB], row[words.TAKER_PPB] = model.maker_ppb, model.taker_ppb

    @property
    def now_ns(self) -> int:
        """The time."""
        return self._view[words.NOW]

    @property
    def next_report_ns(self) -> int:
        """When the first report that was not read arrives, FOREVER when none is known of yet."""
        return self._view[words.NEXT_REPORT_NS]

    @property
    def next_at_exchange_ns(self) -> int:
        """When something happens next at an exchange, FOREVER when nothing will."""
        return self._next(self._words)

    @property
    def events(self) -> int:
        """Book levels and trades that the exchanges have played."""
        return int(self._words[words.LEVELS_PLAYED])

    def advance(self, until_ns: int = FOREVER, *, wakes_on_report: bool = False) -> Outcome:
        """Let time pass, at most to the end of a time; the ``Outcome`` says why it stopped.

        After REPORT the reports must be read; after ROOM too, also those that will only arrive (``FOREVER``). Raises
        Fatal when an account is too large.
        """
        outcome = _OUTCOMES[self._advance(self._words, until_ns, int(wakes_on_report))]
        if outcome is Outcome.OVERFLOW:
            raise Fatal(
                "an account of the backtest left the range of 64 bits: trade less, or in coarser ticks and lots"
            )
        return outcome

    def order(
        self,
        market: int,
        identifier: int,
        side: int,
        price: int,
        lots: int,
        *,
        term: Term = Term.GTC,
        prevention: Prevention = Prevention.NONE,
        owner: int = 0,
        sent_ns: int | None = None,
    ) -> None:
        """Send a limit order now, a market order with price 0 and term IOC or FOK; side as in ``sim.matching.layout``.

        Parameters
        ----------
        sent_ns: a time before now at which it was sent, where it would only arrive now or later; see ``lead_ns``.

        Raises Retry when too much is on its way, Fatal for a market or a time that cannot be.
        """
        kind = CommandKind.LIMIT if price else CommandKind.MARKET
        self._request(sent_ns, market, kind, identifier, owner, side, price, lots, term, prevention)

    def cancel(self, market: int, identifier: int, *, owner: int = 0, sent_ns: int | None = None) -> None:
        """Send a cancellation; raises as ``order``."""
        self._request(sent_ns, market, CommandKind.CANCEL, identifier, owner, 0, 0, 0, Term.GTC, Prevention.NONE)

    def _request(
        self,
        sent_ns: int | None,
        market: int,
        kind: CommandKind,
        identifier: int,
        owner: int,
        side: int,
        price: int,
        lots: int,
        term: Term,
        prevention: Prevention,
    ) -> None:
        if not 0 <= market < len(self.tape.markets):
            raise Fatal(f"market {market} is not on the tape; expected 0 to {len(self.tape.markets) - 1}")
        sent_ns = self.now_ns if sent_ns is None else sent_ns
        if sent_ns < self.now_ns - self.lead_ns:
            raise Fatal(f"a request was sent at {sent_ns}, which may have arrived before {self.now_ns}, the time")
        request = (market, kind, identifier, owner, side, price, lots, term, prevention)
        if not self._send(self._words, sent_ns, *request):
            raise Retry(f"market {market}: {self._capacity} requests are on their way, or reports were not read")

    def reports(self, market: int, until_ns: int | None = None) -> Rows:
        """Reports that have arrived, int64[n, REPORT_WIDTH], in order; each is given once."""
        until = self.now_ns if until_ns is None else until_ns
        if self.next_report_ns > until or self.next_report_ns == FOREVER:
            return self._read[:0]
        parts: list[Rows] = []
        count = len(self._read)
        while count == len(self._read):
            count = self._take(self._words, market, until, self._read)
            parts.append(self._read[:count].copy())
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def wake_on(self, kind: WakeKind, market: int, level: int = 0) -> int:
        """End ``advance`` when a condition holds; returns the number that ``woken`` tells. At most 16 of them."""
        number = int(self._words[words.WAKES])
        if number == len(self._wakes):
            raise Rejected(f"{number} wake conditions are set already, which is as many as there may be")
        self._wakes[number, Wake.KIND], self._wakes[number, Wake.MARKET] = int(kind), market
        self._wakes[number, Wake.LEVEL] = level
        self._words[words.WAKES] = number + 1
        return number

    def woken(self) -> list[int]:
        """Numbers of the conditions that ended the last ``advance``."""
        return [int(number) for number in np.flatnonzero(self._wakes[:, Wake.FIRED])]

    def top(self, market: int) -> Top:
        """Best prices as the strategy has received them."""
        at = words.HEADER_WORDS + words.MARKET_WORDS * market
        view = self._view
        return Top(
            view[at + words.TOP_BID],
            view[at + words.TOP_BID_LOTS],
            view[at + words.TOP_ASK],
            view[at + words.TOP_ASK_LOTS],
        )

    def account(self, market: int) -> Account:
        """The account at the exchange, ahead of the reports."""
        row = self._row(market)
        return Account(*[*row[words.POSITION : words.TRADED_LOTS + 1].tolist(), int(row[words.FUNDING])])
