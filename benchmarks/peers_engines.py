"""Backtesters of other packages, fed with the recorded USD-M market, beside our whole path over the same messages."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.depth import Depth
from benchmarks.harness import Report, seconds, take_turns
from benchmarks.recordings import Recording, load_recording
from benchmarks.replays import Replay
from config.venues import VenueName
from market.errors import Fatal, MissingExtra
from market.wire import records
from market.wire.records import Kind
from sim.generator.settings import Coin

TARGET: Final = 3.0
_EXTRA: Final = "is not installed: pip install --require-hashes -r requirements/bench.lock"
_ROUNDS: Final = 3
_ELAPSE_NS: Final = 10**9
_HFT_CAVEAT: Final = (
    "replays rows converted beforehand, without bookTicker, and simulates an exchange side, a local side, latency and "
    "queues; ours parses JSON and simulates none of these: no claim that one is faster than the other"
)
_NAUTILUS_CAVEAT: Final = (
    "carries a message bus, a cache and a venue simulation, objects built beforehand, empty strategy: the price "
    "of that generality, not of its book alone"
)


def measure(report: Report) -> None:
    """Time per message of the recording."""
    recording = load_recording(Coin.BTC, report)
    depth = Depth(recording, VenueName.BINANCE_USDM)
    single = _only(recording, VenueName.BINANCE_USDM)
    messages = depth.batch.count

    def ours() -> float:
        replay = Replay(single)
        return seconds(replay.run) * 1e9 / messages

    contenders: dict[str, Callable[[], float]] = {"ours": ours}
    for name, prepare in (("hftbacktest", _hftbacktest), ("nautilus", nautilus_run)):
        try:
            contenders[name] = _scaled(prepare(report, depth), 1e9 / messages)
        except MissingExtra as missing:
            report.note(str(missing))
    values = take_turns(contenders, min(report.rounds, _ROUNDS))
    case = "USD-M BTCUSDT, whole recording"
    for name, peer, target, caveat in (
        ("hftbacktest", "hftbacktest 2.4.4, ROIVector", None, _HFT_CAVEAT),
        ("nautilus", "nautilus_trader 1.221.0 BacktestEngine", TARGET, _NAUTILUS_CAVEAT),
    ):
        if name in values:
            report.compare(case, "ns/message", values["ours"], peer, values[name], target=target, caveat=caveat)
    report.note(f"{messages:,} messages; times are divided by that number for every contender")


def _scaled(run: Callable[[], float], factor: float) -> Callable[[], float]:
    return lambda: run() * factor


def _only(recording: Recording, venue: VenueName) -> Recording:
    """The recording of one venue alone."""
    keep = [index for index, source in enumerate(recording.sources) if source.name == venue.value]
    sources = tuple(recording.sources[index] for index in keep)
    texts = tuple(recording.texts[index] for index in keep)
    return Recording(recording.coin, replace(recording.session, sources=sources), sources, texts)


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise MissingExtra(f"{name.partition('.')[0]} {_EXTRA}") from missing


def _hftbacktest(report: Report, depth: Depth) -> Callable[[], float]:
    """A replay of the market's depth and trades, one second at a time; in seconds."""
    package = _package("hftbacktest")
    rows = _market_rows(package, depth)
    report.note(f"hftbacktest gets {len(rows):,} rows")
    market = depth.source.markets[0]
    tick, lot = 10.0**-market.price_decimals, 10.0**-market.quantity_decimals
    middle = depth.top(len(depth.updates))[0] * tick

    def prepared() -> Any:
        asset = package.BacktestAsset().data(rows).linear_asset(1.0).constant_order_latency(0, 0)
        asset = asset.risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0002, 0.0005)
        asset = asset.tick_size(tick).lot_size(lot).roi_lb(middle * 0.9).roi_ub(middle * 1.1)
        return package.ROIVectorMarketDepthBacktest([asset])

    def run(backtest: Any) -> tuple[float, float]:
        while backtest.elapse(_ELAPSE_NS) == 0:
            pass
        book = backtest.depth(0)
        return book.best_bid, book.best_ask

    backtest = prepared()
    bid, ask = run(backtest)
    backtest.close()
    found, expected = (round(bid / tick), round(ask / tick)), depth.top(len(depth.updates))
    if found != expected:
        raise Fatal(f"hftbacktest ends with the top {found} in ticks, ours with {expected}; nothing was timed")

    def timed() -> float:
        backtest = prepared()
        taken = seconds(lambda: run(backtest))
        backtest.close()
        return taken

    return timed


def _market_rows(package: Any, depth: Depth) -> NDArray[np.void]:
    """The venue's depth and trades as hftbacktest's rows, exchange time equal to receive time."""
    market = depth.source.markets[0]
    tick, lot = 10.0**-market.price_decimals, 10.0**-market.quantity_decimals
    both = package.EXCH_EVENT | package.LOCAL_EVENT
    built: list[tuple[int, int, int, float, float, int, int, float]] = []

    def add(kind: int, time_ns: int, price: int, quantity: int) -> None:
        built.append((kind | both, time_ns, time_ns, price * tick, quantity * lot, 0, 0, 0.0))

    for update in (depth.snapshot, *depth.updates):
        kind = package.DEPTH_SNAPSHOT_EVENT if update is depth.snapshot else package.DEPTH_EVENT
        for side, levels in ((package.BUY_EVENT, update.bids), (package.SELL_EVENT, update.asks)):
            for price, quantity in levels:
                add(kind | side, update.receive_ns, price, quantity)
    filled = depth.batch.filled()
    for row in filled[filled[:, records.KIND] == Kind.TRADE]:
        side = package.BUY_EVENT if row[records.AGGRESSOR] == records.AGGRESSOR_BUY else package.SELL_EVENT
        add(
            package.TRADE_EVENT | side,
            int(row[records.RECEIVE_NS]),
            int(row[records.PRICE]),
            int(row[records.QUANTITY]),
        )
    built.sort(key=lambda each: each[1])
    return np.array(built, dtype=package.event_dtype)


def nautilus_run(report: Report, depth: Depth) -> Callable[[], float]:
    """A backtest of deltas, quotes and trades with an empty strategy; in seconds."""
    engines, config = _package("nautilus_trader.backtest.engine"), _package("nautilus_trader.config")
    enums, objects = _package("nautilus_trader.model.enums"), _package("nautilus_trader.model.objects")
    currencies, identifiers = (
        _package("nautilus_trader.model.currencies"),
        _package("nautilus_trader.model.identifiers"),
    )
    strategy: Any = _package("nautilus_trader.trading.strategy").Strategy
    instrument = _package("nautilus_trader.test_kit.providers").TestInstrumentProvider.btcusdt_perp_binance()
    market_data = _nautilus_data(depth, instrument)
    report.note(f"nautilus_trader gets {sum(map(len, market_data)):,} objects, a depth update being one of them")

    class Empty(strategy):  # type: ignore[misc]
        """Subscribes to everything and does nothing."""

        def on_start(self) -> None:
            self.subscribe_order_book_deltas(instrument.id)
            self.subscribe_quote_ticks(instrument.id)
            self.subscribe_trade_ticks(instrument.id)

    def prepared() -> Any:
        settings = config.BacktestEngineConfig(logging=config.LoggingConfig(bypass_logging=True), run_analysis=False)
        engine = engines.BacktestEngine(settings)
        engine.add_venue(
            venue=identifiers.Venue("BINANCE"),
            oms_type=enums.OmsType.NETTING,
            account_type=enums.AccountType.MARGIN,
            starting_balances=[objects.Money(1_000_000, currencies.USDT)],
            book_type=enums.BookType.L2_MBP,
        )
        engine.add_instrument(instrument)
        for kind in market_data:
            engine.add_data(kind)
        engine.add_strategy(Empty())
        return engine

    def timed() -> float:
        engine = prepared()
        taken = seconds(engine.run)
        book = engine.cache.order_book(instrument.id)
        tick = 10.0 ** -depth.source.markets[0].price_decimals
        found = (round(float(book.best_bid_price()) / tick), round(float(book.best_ask_price()) / tick))
        engine.dispose()
        expected = depth.top(len(depth.updates))
        if found != expected:
            raise Fatal(f"nautilus_trader ends with the top {found} in ticks, ours with {expected}")
        return taken

    return timed


def _nautilus_data(depth: Depth, instrument: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Depth updates, quotes and trades as nautilus_trader's objects."""
    return _nautilus_deltas(depth, instrument), *_nautilus_ticks(depth, instrument)


def _nautilus_deltas(depth: Depth, instrument: Any) -> list[Any]:
    data, enums = _package("nautilus_trader.model.data"), _package("nautilus_trader.model.enums")
    market = depth.source.markets[0]
    tick, lot = 10.0**-market.price_decimals, 10.0**-market.quantity_decimals
    found: list[Any] = []
    for update in (depth.snapshot, *depth.updates):
        deltas = []
        for side, levels in ((enums.OrderSide.BUY, update.bids), (enums.OrderSide.SELL, update.asks)):
            for price, quantity in levels:
                action = enums.BookAction.UPDATE if quantity else enums.BookAction.DELETE
                order = data.BookOrder(side, instrument.make_price(price * tick), _size(instrument, quantity * lot), 0)
                identity = (0, update.last_id, update.receive_ns, update.receive_ns)
                deltas.append(data.OrderBookDelta(instrument.id, action, order, *identity))
        if deltas:
            found.append(data.OrderBookDeltas(instrument.id, deltas))
    return found


def _nautilus_ticks(depth: Depth, instrument: Any) -> tuple[list[Any], list[Any]]:
    """Quotes, and trades."""
    data, enums = _package("nautilus_trader.model.data"), _package("nautilus_trader.model.enums")
    trade_id = _package("nautilus_trader.model.identifiers").TradeId
    market = depth.source.markets[0]
    tick, lot = 10.0**-market.price_decimals, 10.0**-market.quantity_decimals
    quotes: list[Any] = []
    trades: list[Any] = []
    for row in depth.batch.filled().tolist():
        time_ns = row[records.RECEIVE_NS]
        if row[records.KIND] == Kind.QUOTE:
            prices = [instrument.make_price(row[column] * tick) for column in (records.BID_PRICE, records.ASK_PRICE)]
            sizes = [_size(instrument, row[column] * lot) for column in (records.BID_QUANTITY, records.ASK_QUANTITY)]
            quotes.append(data.QuoteTick(instrument.id, *prices, *sizes, time_ns, time_ns))
        elif row[records.KIND] == Kind.TRADE:
            buys = row[records.AGGRESSOR] == records.AGGRESSOR_BUY
            side = enums.AggressorSide.BUYER if buys else enums.AggressorSide.SELLER
            price, size = (
                instrument.make_price(row[records.PRICE] * tick),
                _size(instrument, row[records.QUANTITY] * lot),
            )
            number = trade_id(str(row[records.TRADE_ID]))
            trades.append(data.TradeTick(instrument.id, price, size, side, number, time_ns, time_ns))
    return quotes, trades


def _size(instrument: Any, quantity: float) -> Any:
    """A quantity of the instrument; zero is allowed, it deletes a level."""
    return _package("nautilus_trader.model.objects").Quantity(quantity, instrument.size_precision)
