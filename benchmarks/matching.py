"""Orders matched per second: the matching engine alone and the whole venue, beside what other packages offer.

No other package that is installed here matches orders of many owners with each other. The peers are therefore a
price-time matcher of a page of Python over the sorted sides of order-book, for the engine, and nautilus_trader's
matching engine, which fills one owner's orders from a book of quotes, for the venue.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from benchmarks.harness import Report, seconds, take_turns
from market.errors import Fatal, MissingExtra
from market.orders.kinds import Side
from market.wire.records import Rows
from sim.exchange.venue.kinds import MarketKind, OrderKind, SelfTradePrevention
from sim.exchange.venue.model import UNIT, AccountModel, SymbolModel, VenueModel
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.requests import PlaceRequest
from sim.exchange.venue.venue import SimulatedVenue
from sim.matching.book import MatchingBook
from sim.matching.layout import ASK, BID, Command, CommandKind, Event, EventKind, Term

TARGET_NS: Final = 10_000
"""100,000 orders per second."""
_COMMANDS: Final = 100_000
_VENUE_ORDERS: Final = 10_000
_SEED: Final = 3
_MIDDLE: Final = 10_000
_CAPACITY: Final = 1 << 16
_ACCOUNTS: Final = 8
_FILLS: Final = 5_000
_EXTRA: Final = "is not installed: pip install --require-hashes -r requirements/bench.lock"
_SYMBOL: Final = "BTCUSDT"
_START_NS: Final = 1_700_000_000 * 10**9
Trade = tuple[int, int, int, int]
"""Taker, maker, price, lots."""


def measure(report: Report) -> None:
    """Time per order."""
    commands = order_flow(_COMMANDS)
    _compare_engine(report, commands)
    _measure_venue(report, commands)
    _compare_fills(report)


def order_flow(count: int) -> Rows:
    """Seeded commands: half are limit orders, some of which trade; two fifths cancel; the rest is market.

    Rows as ``sim.matching.layout`` has them.
    """
    chance = np.random.Generator(np.random.PCG64(_SEED))
    rows = np.zeros((count, len(Command)), dtype=np.int64)
    kinds = chance.choice([CommandKind.LIMIT, CommandKind.CANCEL, CommandKind.MARKET], size=count, p=[0.5, 0.4, 0.1])
    sides = chance.integers(0, 2, count)
    away = chance.geometric(0.05, count) - 4
    rows[:, Command.KIND] = kinds
    rows[:, Command.ID] = np.arange(1, count + 1)
    rows[:, Command.OWNER] = chance.integers(2, 2 + _ACCOUNTS, count)
    rows[:, Command.SIDE] = sides
    rows[:, Command.PRICE] = np.where(sides == BID, _MIDDLE - away, _MIDDLE + away)
    rows[:, Command.LOTS] = chance.integers(1, 100, count)
    placed = np.flatnonzero(kinds == CommandKind.LIMIT)
    for index in np.flatnonzero(kinds == CommandKind.CANCEL).tolist():
        known = int(np.searchsorted(placed, index))
        earlier = placed[chance.integers(0, known)] if known else index
        rows[index] = (CommandKind.CANCEL, rows[earlier, Command.ID], rows[earlier, Command.OWNER], 0, 0, 0, 0, 0)
    at_market = kinds == CommandKind.MARKET
    rows[at_market, Command.PRICE] = 0
    rows[at_market, Command.TERM] = Term.IOC
    return rows


def _compare_engine(report: Report, commands: Rows) -> None:
    rows = commands.tolist()

    def batch() -> float:
        book = MatchingBook(_CAPACITY)
        return seconds(lambda: book.submit(commands)) * 1e9 / len(rows)

    def single() -> float:
        book = MatchingBook(_CAPACITY)
        return seconds(lambda: _one_by_one(book, rows)) * 1e9 / len(rows)

    contenders: dict[str, Callable[[], float]] = {"batch": batch, "single": single}
    trades = _trades(MatchingBook(_CAPACITY).submit(commands))
    try:
        make = _package("order_book").OrderBook
    except MissingExtra as missing:
        report.note(str(missing))
    else:
        if PeerMatcher(make()).run(rows) != trades:
            raise Fatal("the matcher over order-book trades otherwise than ours; nothing was timed")
        contenders["peer"] = lambda: _timed_peer(make, rows)
    values = take_turns(contenders, report.rounds)
    report.against_target("matching engine, orders in one batch", "ns/order", values["batch"], TARGET_NS)
    report.against_target("matching engine, one call per order", "ns/order", values["single"], TARGET_NS)
    if "peer" in values:
        caveat = (
            "the package offers sorted sides only; queues and matching are a page of Python here, with the same trades"
        )
        peer = "price-time matching in Python over order-book 0.6.1"
        for case, name in (("orders in one batch", "batch"), ("one call per order", "single")):
            report.compare(f"matching engine, {case}", "ns/order", values[name], peer, values["peer"], caveat=caveat)
    report.note(f"{len(rows):,} orders and cancellations of {_ACCOUNTS} owners, {len(trades):,} trades")


def _timed_peer(make: Callable[[], Any], rows: list[list[int]]) -> float:
    matcher = PeerMatcher(make())
    return seconds(lambda: matcher.run(rows)) * 1e9 / len(rows)


def _one_by_one(book: MatchingBook, rows: list[list[int]]) -> None:
    for kind, identifier, owner, side, price, lots, _, _ in rows:
        if kind == CommandKind.LIMIT:
            book.place(identifier, owner, side, price, lots)
        elif kind == CommandKind.CANCEL:
            book.cancel(identifier, owner)
        else:
            book.place_market(identifier, owner, side, lots)


def _trades(events: Rows) -> list[Trade]:
    traded = events[events[:, Event.KIND] == EventKind.TRADED]
    columns = traded[:, [Event.ID, Event.OTHER, Event.PRICE, Event.LOTS]]
    return [(taker, maker, price, lots) for taker, maker, price, lots in columns.tolist()]


class PeerMatcher:
    """Price-time matching over the sorted sides of an order-book ``OrderBook``: a dict of orders at each price."""

    def __init__(self, book: Any) -> None:
        self._sides = {BID: book.bids, ASK: book.asks}
        self._resting: dict[int, tuple[int, int, int]] = {}

    def run(self, rows: list[list[int]]) -> list[Trade]:
        """Carry out commands; the trades."""
        trades: list[Trade] = []
        for kind, identifier, owner, side, price, lots, _, _ in rows:
            if kind == CommandKind.CANCEL:
                self._cancel(identifier, owner)
                continue
            left = self._take(identifier, side, price, lots, trades)
            if left and kind == CommandKind.LIMIT:
                levels = self._sides[side]
                if price in levels:
                    levels[price][identifier] = left
                else:
                    levels[price] = {identifier: left}
                self._resting[identifier] = (owner, side, price)
        return trades

    def _cancel(self, identifier: int, owner: int) -> None:
        found = self._resting.get(identifier)
        if found is None or found[0] != owner:
            return
        _, side, price = self._resting.pop(identifier)
        levels = self._sides[side]
        queue = levels[price]
        del queue[identifier]
        if not queue:
            del levels[price]

    def _take(self, taker: int, side: int, limit: int, lots: int, trades: list[Trade]) -> int:
        levels = self._sides[ASK if side == BID else BID]
        while lots and len(levels):
            price, queue = levels.index(0)
            if limit and (price > limit if side == BID else price < limit):
                break
            for maker in list(queue):
                traded = min(lots, queue[maker])
                lots -= traded
                trades.append((taker, maker, price, traded))
                if traded < queue[maker]:
                    queue[maker] -= traded
                else:
                    del queue[maker], self._resting[maker]
                if not lots:
                    break
            if not queue:
                del levels[price]
        return lots


def _symbol() -> SymbolModel:
    symbol = SymbolModel.of(_SYMBOL, "BTC", "USDT", tick="0.01", lot="0.0001", price="100", minimum_notional="0.0001")
    return replace(symbol, maximum_orders=_COMMANDS)


def _venue() -> SimulatedVenue:
    """A spot venue with rich accounts, whose owners have the numbers of the flow."""
    balances = {"USDT": 10**9 * UNIT, "BTC": 10**6 * UNIT}
    accounts = tuple(AccountModel(account=f"account-{number}", balances=balances) for number in range(_ACCOUNTS))
    return SimulatedVenue(
        VenueModel(
            name="benchmark",
            kind=MarketKind.SPOT,
            symbols=(_symbol(),),
            accounts=accounts,
            start_ns=_START_NS,
            self_trade_prevention=SelfTradePrevention.NONE,
        )
    )


def _measure_venue(report: Report, commands: Rows) -> None:
    """The same flow through accounts, filters, balances, ledger and events."""
    rows = commands[:_VENUE_ORDERS].tolist()

    def run(venue: SimulatedVenue) -> None:
        for index, (kind, identifier, owner, side, price, lots, _, _) in enumerate(rows):
            account = f"account-{owner - 2}"
            if kind == CommandKind.CANCEL:
                _cancel(venue, account, f"o{identifier}", _START_NS + index)
            else:
                limited = kind == CommandKind.LIMIT
                request = PlaceRequest(
                    account=account,
                    symbol=_SYMBOL,
                    side=Side.BUY if side == BID else Side.SELL,
                    kind=OrderKind.LIMIT if limited else OrderKind.MARKET,
                    quantity_lots=lots,
                    price_ticks=price if limited else 0,
                    client_order_id=f"o{identifier}",
                )
                venue.place(request, _START_NS + index)
            venue.take_events()

    def timed() -> float:
        venue = _venue()
        return seconds(lambda: run(venue)) * 1e9 / len(rows)

    values = take_turns({"venue": timed}, min(report.rounds, 5))["venue"]
    report.against_target("whole spot venue, one call per order", "ns/order", values, TARGET_NS * 10)


def _cancel(venue: SimulatedVenue, account: str, client_order_id: str, now_ns: int) -> None:
    """Cancel an order that may have traded; a refusal is an answer as well."""
    try:
        venue.cancel(account, _SYMBOL, now_ns, client_order_id=client_order_id)
    except VenueRefusal as refusal:
        if refusal.code != -2011:
            raise


def _compare_fills(report: Report) -> None:
    """Market orders against a deep book, to fill and commission."""

    def ours() -> float:
        venue = _venue()
        venue.inject(_SYMBOL, Side.SELL, 10_000, 10**9, _START_NS)
        requests = [
            PlaceRequest(
                account="account-0", symbol=_SYMBOL, side=Side.BUY, kind=OrderKind.MARKET, quantity_lots=1_000,
                client_order_id=f"o{number}",
            )
            for number in range(_FILLS)
        ]  # fmt: skip

        def run() -> None:
            for request in requests:
                venue.place(request, _START_NS)
                venue.take_events()

        taken = seconds(run) * 1e9 / _FILLS
        if venue.recent_trades(_SYMBOL)[-1].trade_id != _FILLS:
            raise Fatal("not every market order traded; the time means nothing")
        return taken

    contenders: dict[str, Callable[[], float]] = {"ours": ours}
    try:
        contenders["nautilus"] = _nautilus()
    except MissingExtra as missing:
        report.note(str(missing))
    values = take_turns(contenders, min(report.rounds, 5))
    if "nautilus" in values:
        report.compare(
            "venue: a market order to fill and commission",
            "ns/order",
            values["ours"],
            "nautilus_trader 1.221.0 OrderMatchingEngine",
            values["nautilus"],
            caveat="fills from quotes, without accounts, order history and ledger, which ours keeps; its orders were "
            "built before and its events go to a handler that does nothing",
        )


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise MissingExtra(f"{name.partition('.')[0]} {_EXTRA}") from missing


def _nautilus() -> Callable[[], float]:
    """A run of nautilus_trader's matching engine, in nanoseconds per order."""
    backtest, models = _package("nautilus_trader.backtest.engine"), _package("nautilus_trader.backtest.models")
    common, enums = _package("nautilus_trader.common.component"), _package("nautilus_trader.model.enums")
    names, data = _package("nautilus_trader.model.identifiers"), _package("nautilus_trader.model.data")
    instrument = _package("nautilus_trader.test_kit.providers").TestInstrumentProvider.btcusdt_binance()
    trader = names.TraderId("TESTER-1")

    def timed() -> float:
        cache, clock = _package("nautilus_trader.cache.cache").Cache(), common.TestClock()
        bus = common.MessageBus(trader_id=trader, clock=clock)
        cache.add_instrument(instrument)
        filled: list[Any] = []
        bus.register(endpoint="ExecEngine.process", handler=filled.append)
        engine = backtest.OrderMatchingEngine(
            instrument=instrument,
            raw_id=0,
            fill_model=models.FillModel(),
            fee_model=models.MakerTakerFeeModel(),
            book_type=enums.BookType.L1_MBP,
            oms_type=enums.OmsType.NETTING,
            account_type=enums.AccountType.CASH,
            msgbus=bus,
            cache=cache,
            clock=clock,
        )
        bid, ask, size = (Decimal(text) for text in ("99.99", "100.00", "1000"))
        prices = (instrument.make_price(bid), instrument.make_price(ask))
        engine.process_quote_tick(
            data.QuoteTick(instrument.id, *prices, instrument.make_qty(size), instrument.make_qty(size), 0, 0)
        )
        factory = _package("nautilus_trader.common.factories").OrderFactory(
            trader_id=trader, strategy_id=names.StrategyId("TEST-1"), clock=clock
        )
        quantity = instrument.make_qty(Decimal("0.1"))
        orders = [factory.market(instrument.id, enums.OrderSide.BUY, quantity) for _ in range(_FILLS)]
        account = names.AccountId("BINANCE-1")

        def run() -> None:
            for order in orders:
                engine.process_order(order, account)

        taken = seconds(run) * 1e9 / _FILLS
        if len(filled) != _FILLS:
            raise Fatal(f"nautilus_trader filled {len(filled)} of {_FILLS} orders; the time means nothing")
        return taken

    return timed
