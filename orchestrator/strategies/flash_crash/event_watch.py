"""The detector of one market, fed with what a strategy hears."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from market.book.book import STARTED, SYNCHRONISED
from market.book.top import CHANGED, WITHDRAWN
from market.detector.book_intake import take_book
from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.settings import DetectorSettings
from market.detector.states import Permission, Reading, Signal, State
from market.detector.transitions import Transition
from market.orders.kinds import Side
from market.protocols import MarketView, Trade
from market.wire.records import (
    AGGRESSOR_BUY,
    AGGRESSOR_NONE,
    AGGRESSOR_SELL,
    DIFF,
    GAP,
    KIND,
    RECEIVE_NS,
    WIDTH,
    Words,
)
from orchestrator.strategies.flash_crash.parameters import FlashCrashParameters
from orchestrator.strategies.flash_crash.sleeping import Sleeping

_AGGRESSORS: Final = {None: AGGRESSOR_NONE, Side.BUY: AGGRESSOR_BUY, Side.SELL: AGGRESSOR_SELL}


class EventWatch(Protocol):
    """What a trader asks about the event."""

    @property
    def settings(self) -> DetectorSettings:
        """Thresholds."""

    @property
    def sleep(self) -> Sleeping | None:
        """What stands in for the trader while it sleeps; None where it never does."""

    @property
    def standing(self) -> State:
        """The state."""

    @property
    def signals(self) -> Signal:
        """What fires."""

    @property
    def permissions(self) -> Permission:
        """What is allowed."""

    def transitions(self) -> list[Transition]:
        """Those that were made while something else fed the detector."""

    def read(self) -> dict[Reading, float]:
        """Every reading."""

    def take_time(self, time_ns: int) -> list[Transition]:
        """Time passed; returns transitions."""

    def take_quote(self, view: MarketView, time_ns: int) -> list[Transition]:
        """The market's top of book changed or was withdrawn; returns transitions."""

    def take_trade(self, trade: Trade, time_ns: int) -> list[Transition]:
        """A trade of the market; returns transitions."""

    def save(self) -> bytes:
        """The whole state."""

    def restore(self, content: bytes) -> None:
        """Go on from a saved state; raises Rejected for one that does not fit."""


class MarketWatch:
    """An ``EventWatch`` over the compiled detector.

    A book is looked at, twenty levels deep, when its best bid or offer changes: that is what strategies hear of. Where
    no feed has the book, the top alone is taken.
    """

    def __init__(self, parameters: FlashCrashParameters, settings: DetectorSettings) -> None:
        self._parameters = parameters
        self._detector = Detector(settings)
        self._sleep = Sleeping(parameters, self._detector.state)
        self._record: Words = np.zeros(WIDTH, dtype=np.int64)
        self._take_book = take_book.direct()

    @property
    def settings(self) -> DetectorSettings:
        """Thresholds."""
        return self._detector.settings

    @property
    def sleep(self) -> Sleeping:
        """What stands in for the trader while it sleeps."""
        return self._sleep

    @property
    def standing(self) -> State:
        """The state."""
        return self._detector.standing

    @property
    def signals(self) -> Signal:
        """What fires."""
        return self._detector.signals

    @property
    def permissions(self) -> Permission:
        """What is allowed."""
        return self._detector.permissions

    def transitions(self) -> list[Transition]:
        """Those that were made while something else fed the detector."""
        return self._detector.transitions()

    def read(self) -> dict[Reading, float]:
        """Every reading."""
        return self._detector.read()

    def take_time(self, time_ns: int) -> list[Transition]:
        """Time passed; returns transitions."""
        return self._detector.take(EventKind.TIME, time_ns)

    def take_quote(self, view: MarketView, time_ns: int) -> list[Transition]:
        """The market's top of book changed or was withdrawn; returns transitions."""
        quote, book = view.quote(*self._parameters.market), view.book(*self._parameters.market)
        if book is None:
            if quote is None:
                return self._detector.take(EventKind.WITHDRAWN, time_ns)
            price, quantity = self._parameters.price_unit, self._parameters.quantity_unit
            bid, ask = (quote.bid_price // price, quote.bid_quantity // quantity), quote.ask_price // price
            return self._detector.take(EventKind.TOP, time_ns, *bid, ask, quote.ask_quantity // quantity)
        is_lost = bool(book[STARTED]) and not book[SYNCHRONISED]
        self._record[KIND] = GAP if quote is None and is_lost else DIFF
        self._record[RECEIVE_NS] = time_ns
        self._take_book(self._detector.state, book, self._record, WITHDRAWN if quote is None else CHANGED)
        return self._detector.transitions()

    def take_trade(self, trade: Trade, time_ns: int) -> list[Transition]:
        """A trade of the market; returns transitions."""
        price, lots = trade.price // self._parameters.price_unit, trade.quantity // self._parameters.quantity_unit
        number = trade.trade_id if trade.trade_id > 0 else -1
        return self._detector.take(EventKind.TRADE, time_ns, price, lots, _AGGRESSORS[trade.aggressor], number=number)

    def save(self) -> bytes:
        """The whole state."""
        return self._detector.save()

    def restore(self, content: bytes) -> None:
        """Go on from a saved state; raises Rejected for one that does not fit."""
        self._detector.state[:] = Detector.restore(self._detector.settings, content).state
