"""Order books of other packages beside ours, on recorded USD-M depth; the top is read after each update."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from typing import Any, Final

from benchmarks.depth import Depth, Levels, Update
from benchmarks.harness import Report, seconds, take_turns
from benchmarks.recordings import load_recording
from config.venues import VenueName
from market.book.intake import take_records
from market.errors import Fatal, MissingExtra
from sim.generator.settings import Coin

TARGET: Final = 3.0
MESSAGES: Final = 400
_SYMBOL: Final = "BTC/USDT:USDT"
_EXTRA: Final = "is not installed: pip install --require-hashes -r requirements/bench.lock"


def measure(report: Report) -> None:
    """Time per level on levels that are decoded already, and per message from raw JSON."""
    depth = Depth(load_recording(Coin.BTC, report), VenueName.BINANCE_USDM)
    report.note(
        f"{MESSAGES:,} updates with {depth.levels(MESSAGES):,} levels, after a snapshot of "
        f"{len(depth.snapshot.bids):,} bids and {len(depth.snapshot.asks):,} asks"
    )
    _compare_levels(report, depth)
    _compare_messages(report, depth)


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise MissingExtra(f"{name.partition('.')[0]} {_EXTRA}") from missing


def _check(name: str, depth: Depth, top: tuple[int, int]) -> None:
    expected = depth.top(MESSAGES)
    if top != expected:
        raise Fatal(f"{name} ends with the top {top} in ticks, ours with {expected}; nothing was timed")


def _compare_levels(report: Report, depth: Depth) -> None:
    levels = depth.levels(MESSAGES)

    def ours() -> float:
        book = depth.new_book()
        depth.take(book, 0, 1)
        return seconds(lambda: depth.take(book, 1, MESSAGES + 1)) * 1e9 / levels

    contenders: dict[str, Callable[[], float]] = {"ours": ours}
    caveats: dict[str, str] = {}
    for name, prepare, caveat in (
        ("order-book 0.6.1", _order_book, "C extension; sorts again when its top is asked for after a change"),
        ("nautilus_trader 1.221.0", _nautilus, "Rust book, one call per delta; the deltas were built before"),
    ):
        try:
            run = prepare(depth)
        except MissingExtra as missing:
            report.note(str(missing))
            continue
        contenders[name] = _scaled(run, 1e9 / levels)
        caveats[name] = caveat
    values = take_turns(contenders, min(report.rounds, 5))
    for name, caveat in caveats.items():
        report.compare(
            "decoded levels to book", "ns/level", values["ours"], name, values[name], target=TARGET, caveat=caveat
        )


def _scaled(run: Callable[[], float], factor: float) -> Callable[[], float]:
    return lambda: run() * factor


def _order_book(depth: Depth) -> Callable[[], float]:
    """A run of the order-book package, in seconds; int keys as cryptofeed could use them."""
    make = _package("order_book").OrderBook

    def apply(side: Any, levels: Levels) -> None:
        for price, quantity in levels:
            if quantity:
                side[price] = quantity
            elif price in side:
                del side[price]

    def run(book: Any) -> tuple[int, int]:
        bids, asks = book.bids, book.asks
        top = (0, 0)
        for update in depth.updates[:MESSAGES]:
            apply(bids, update.bids)
            apply(asks, update.asks)
            top = (bids.index(0)[0], asks.index(0)[0])
        return top

    def fresh() -> Any:
        book = make()
        apply(book.bids, depth.snapshot.bids)
        apply(book.asks, depth.snapshot.asks)
        return book

    _check("order-book", depth, run(fresh()))

    def timed() -> float:
        book = fresh()
        return seconds(lambda: run(book))

    return timed


def _nautilus(depth: Depth) -> Callable[[], float]:
    """A run of nautilus_trader's book, in seconds."""
    data, enums = _package("nautilus_trader.model.data"), _package("nautilus_trader.model.enums")
    objects, identifiers = _package("nautilus_trader.model.objects"), _package("nautilus_trader.model.identifiers")
    make = _package("nautilus_trader.model.book").OrderBook
    instrument = identifiers.InstrumentId.from_str("BTCUSDT-PERP.BINANCE")
    market = depth.source.markets[0]
    unit, lot = 10**-market.price_decimals, 10**-market.quantity_decimals

    def deltas(update: Update) -> list[Any]:
        built = []
        for side, levels in ((enums.OrderSide.BUY, update.bids), (enums.OrderSide.SELL, update.asks)):
            for price, quantity in levels:
                action = enums.BookAction.UPDATE if quantity else enums.BookAction.DELETE
                order = data.BookOrder(
                    side,
                    objects.Price(price * unit, market.price_decimals),
                    objects.Quantity(quantity * lot, market.quantity_decimals),
                    0,
                )
                built.append(
                    data.OrderBookDelta(
                        instrument, action, order, 0, update.last_id, update.event_ns, update.receive_ns
                    )
                )
        return built

    snapshot = deltas(depth.snapshot)
    events = [deltas(update) for update in depth.updates[:MESSAGES]]

    def fresh() -> Any:
        book = make(instrument, enums.BookType.L2_MBP)
        for delta in snapshot:
            book.apply_delta(delta)
        return book

    def run(book: Any) -> tuple[Any, Any]:
        top = (None, None)
        for event in events:
            for delta in event:
                book.apply_delta(delta)
            top = (book.best_bid_price(), book.best_ask_price())
        return top

    bid, ask = run(fresh())
    _check("nautilus_trader", depth, (round(float(bid) / unit), round(float(ask) / unit)))

    def timed() -> float:
        book = fresh()
        return seconds(lambda: run(book))

    return timed


def _compare_messages(report: Report, depth: Depth) -> None:
    lines = depth.lines(MESSAGES)
    batch = depth.decode(lines)

    def ours() -> float:
        book = depth.new_book()
        depth.take(book, 0, 1)

        def work() -> None:
            batch.restart()
            batch.clear()
            depth.source.venue.decode_lines(
                lines, 10**12, depth.table, batch.records, batch.bids, batch.asks, batch.cursor, 0
            )
            take_records(book, batch.records, batch.count, batch.bids, batch.asks)

        return seconds(work) * 1e6 / MESSAGES

    try:
        peer = ccxt_messages(depth)
    except MissingExtra as missing:
        report.note(str(missing))
        return
    values = take_turns({"ours": ours, "ccxt": _scaled(peer, 1e6 / MESSAGES)}, min(report.rounds, 5))
    report.compare(
        "depth messages to book",
        "us/message",
        values["ours"],
        "ccxt.pro 4.5.90",
        values["ccxt"],
        target=TARGET,
        caveat="handle_order_book from decoded dictionaries, floats, 1,000 levels a side; ours begins at raw JSON",
    )


class _Client:
    """What ccxt's handlers need of a connection."""

    url = "wss://fstream.binance.com/ws"

    def __init__(self) -> None:
        self.subscriptions: dict[str, object] = {}

    def resolve(self, result: object, message_hash: str) -> None:
        """A book is there."""

    def reject(self, error: Exception, message_hash: str) -> None:
        """A book was given up."""
        raise error


def ccxt_messages(depth: Depth) -> Callable[[], float]:
    """A run of ccxt.pro's handler of depth messages, in seconds."""
    pro = _package("ccxt.pro")
    texts = [line[line.index(b" ") + 1 :] for line in depth.buffered_lines()[: MESSAGES + 1]]
    snapshot, *messages = ((json.loads(text).get("data") or json.loads(text)) for text in texts)
    market = depth.source.markets[0]

    def fresh() -> tuple[Any, _Client]:
        exchange, client = pro.binanceusdm({"newUpdates": False}), _Client()
        swap = {"id": market.symbol, "symbol": _SYMBOL, "base": "BTC", "quote": "USDT", "settle": "USDT"}
        kind = {"type": "swap", "spot": False, "swap": True, "future": False, "option": False, "contract": True}
        exchange.set_markets([exchange.safe_market_structure({**swap, **kind, "linear": True, "inverse": False})])

        async def fetch(symbol: str, limit: int, params: object = None) -> Any:
            book = exchange.parse_order_book(snapshot, symbol, snapshot["E"], "bids", "asks")
            return {**book, "nonce": snapshot["lastUpdateId"]}

        exchange.fetch_rest_order_book_safe = fetch
        exchange.orderbooks[_SYMBOL] = exchange.order_book({}, 1000)
        subscription = {"symbol": _SYMBOL, "type": "linear", "limit": 1000, "params": {}}
        client.subscriptions[f"orderbook::{_SYMBOL}"] = subscription
        asyncio.run(exchange.fetch_order_book_snapshot(client, None, subscription))
        return exchange, client

    def run(exchange: Any, client: _Client) -> None:
        for message in messages:
            exchange.handle_order_book(client, message)

    exchange, client = fresh()
    run(exchange, client)
    book, scale = exchange.orderbooks[_SYMBOL], 10**market.price_decimals
    _check("ccxt.pro", depth, (round(book["bids"][0][0] * scale), round(book["asks"][0][0] * scale)))

    def timed() -> float:
        exchange, client = fresh()
        return seconds(lambda: run(exchange, client))

    return timed
