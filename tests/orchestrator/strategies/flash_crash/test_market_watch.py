"""The detector hears from a strategy what it would hear from the same events as rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from config.loading import load_settings
from config.venues import VenueName
from market.book.listing import list_levels
from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.settings import DetectorSettings
from market.detector.states import Counter, Reading
from market.orders.kinds import Side
from market.protocols import Intent, MarketView, QuoteChanged, Traded, WakeCause, Wakes
from market.wire.records import Rows, Words
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.run import run_backtest
from orchestrator.replay.plan import SourceFile
from orchestrator.strategies.flash_crash.event_watch import MarketWatch
from orchestrator.strategies.flash_crash.parameters import FlashCrashParameters, SizeParameters
from sim.generator.recording import write_recordings
from sim.generator.settings import SECOND_NS, Coin, GeneratorSettings

KEY = (0, 1)
PRICE_UNIT, LOT_UNIT = 10**8, 10**6
"""Counts of 1e-9 in a tick of 0.1 and a lot of 0.001."""
SETTINGS = DetectorSettings(minimum_liquidity=10**6, warm_up_seconds=2, volatility_seconds=2, baseline_seconds=10)


class Comparing:
    """Feeds a watch, and a detector with rows that are reckoned here from the listed levels."""

    tag = "comparing"
    wakes = Wakes(quotes=frozenset({KEY}), trades=frozenset({KEY}))

    def __init__(self) -> None:
        size = SizeParameters(capital=1, maximum_quantity=1, maximum_notional=1)
        parameters = FlashCrashParameters(market=KEY, price_unit=PRICE_UNIT, quantity_unit=LOT_UNIT, size=size)
        self.watch = MarketWatch(parameters, SETTINGS)
        self.detector = Detector(SETTINGS)
        self.compared = 0

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Takes an event twice, and compares."""
        if isinstance(cause, QuoteChanged):
            self.watch.take_quote(view, cause.time_ns)
            self._take_book(view, cause.time_ns)
        elif isinstance(cause, Traded):
            trade = cause.trade
            self.watch.take_trade(trade, trade.time_ns)
            aggressor = {None: 0, Side.BUY: 1, Side.SELL: 2}[trade.aggressor]
            price, lots = trade.price // PRICE_UNIT, trade.quantity // LOT_UNIT
            self.detector.take(EventKind.TRADE, trade.time_ns, price, lots, aggressor, number=trade.trade_id)
        else:
            return ()
        expected, found = self.detector.read(), self.watch.read()
        for reading in Reading:
            np.testing.assert_equal(found[reading], expected[reading], reading.name)
        assert self.watch.signals == self.detector.signals
        self.compared += 1
        return ()

    def _take_book(self, view: MarketView, time_ns: int) -> None:
        quote, book = view.quote(*KEY), view.book(*KEY)
        assert book is not None
        if quote is None:
            self.detector.take(EventKind.WITHDRAWN, time_ns)
            return
        top = (
            quote.bid_price // PRICE_UNIT,
            quote.bid_quantity // LOT_UNIT,
            quote.ask_price // PRICE_UNIT,
            quote.ask_quantity // LOT_UNIT,
        )
        sides = [side[:20] for side in _levels(book)]
        if not all(len(side) for side in sides):
            self.detector.take(EventKind.TOP, time_ns, *top)
            return
        lots = [int(side[:, 1].sum()) for side in sides]
        worth = [int((side[:, 0] * side[:, 1]).sum()) for side in sides]
        walls = [int((side[:, 1] > SETTINGS.wall_multiple * np.median(side[:, 1])).sum()) for side in sides]
        self.detector.take(EventKind.BOOK, time_ns, *top, *lots, *worth, *walls)


def _levels(book: Words) -> Sequence[Rows]:
    listed = list_levels(book, 0)
    return listed.bids, listed.asks


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    settings = GeneratorSettings(coins=(Coin.BTC,), duration_ns=8 * SECOND_NS)
    files = write_recordings(settings, 3, folder)
    return next(file.path for file in files if file.venue is VenueName.BINANCE_USDM)


def test_a_watch_reads_what_rows_read(recording: Path) -> None:
    settings = load_settings("demo", local=None, environment={})
    comparing = Comparing()
    run = run_backtest(read_plan(settings, [SourceFile(VenueName.BINANCE_USDM, recording)]), [comparing])
    assert not run.summary.counts.strategy_errors
    assert comparing.compared > 500
    assert comparing.detector.counters()[Counter.BOOKS] > 100
    assert comparing.detector.counters()[Counter.TRADES] > 50
    assert not np.isnan(comparing.watch.read()[Reading.LIQUIDITY_RATIO])
