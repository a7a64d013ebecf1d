"""What a futures venue can be asked, over HTTP and over the WebSocket API."""

from __future__ import annotations

from typing import Final

from sim.exchange.aggregate_trades import AggregateTrades
from sim.exchange.calls import Endpoint, Endpoints, Run, Security, Weight, weight_by_symbol
from sim.exchange.day_statistics import DayStatistics
from sim.exchange.futures.account import FuturesAccounts
from sim.exchange.futures.algo_orders import AlgoOrders
from sim.exchange.futures.market import FuturesMarket
from sim.exchange.futures.orders import FuturesOrders
from sim.exchange.futures.written import FuturesWriter
from sim.exchange.listen_keys import ListenKeys
from sim.exchange.market_data import MarketData, depth_weight
from sim.exchange.quota import Quota
from sim.exchange.symbols import Symbols
from sim.exchange.venue.venue import SimulatedVenue
from sim.exchange.writing import FuturesNumbers

V1: Final = "/fapi/v1"
V2: Final = "/fapi/v2"
V3: Final = "/fapi/v3"
_BATCH: Final = 5
_DEPTH: Final = depth_weight((50, 2), (100, 5), (500, 10), (1_000, 20))


def futures_endpoints(
    venue: SimulatedVenue,
    symbols: Symbols,
    numbers: FuturesNumbers,
    aggregates: AggregateTrades,
    day: DayStatistics,
    quota: Quota,
    listen_keys: ListenKeys,
) -> Endpoints:
    """Routes and methods, with their weights as Binance states them."""
    writer = FuturesWriter(symbols, numbers)
    public = MarketData(venue, symbols, numbers, aggregates, day, futures=True)
    market = FuturesMarket(venue, symbols, numbers, quota)
    orders = FuturesOrders(venue, symbols, writer)
    algo = AlgoOrders(venue, symbols, writer)
    accounts = FuturesAccounts(venue, symbols, writer)

    depth = Endpoint(run=public.depth, weight=_DEPTH)
    price = Endpoint(run=public.price, weight=weight_by_symbol(1, 2))
    book = Endpoint(run=public.book_ticker, weight=weight_by_symbol(2, 5))
    place = _trade(orders.place, weight=0, orders=1)
    modify = _trade(orders.modify, orders=1)
    query = _signed(orders.query)
    cancel = _trade(orders.cancel)
    place_algo = _trade(algo.place, weight=0, orders=1)
    cancel_algo = _trade(algo.cancel)
    account, older_account = _signed(accounts.account, 5), _signed(accounts.account_as_before, 5)
    balance = _signed(accounts.balance, 5)
    risk, older_risk = _signed(accounts.position_risk, 5), _signed(accounts.position_risk_as_before, 5)
    create_key, prolong_key, delete_key = (
        Endpoint(run=run, security=Security.KEY)
        for run in (listen_keys.create, listen_keys.prolong, listen_keys.delete)
    )

    routes = {
        ("GET", f"{V1}/ping"): Endpoint(run=public.ping),
        ("GET", f"{V1}/time"): Endpoint(run=public.time),
        ("GET", f"{V1}/exchangeInfo"): Endpoint(run=market.exchange_info),
        ("GET", f"{V1}/depth"): depth,
        ("GET", f"{V1}/trades"): Endpoint(run=public.trades, weight=5),
        ("GET", f"{V1}/aggTrades"): Endpoint(run=public.aggregate_trades, weight=20),
        ("GET", f"{V1}/ticker/price"): price,
        ("GET", f"{V2}/ticker/price"): price,
        ("GET", f"{V1}/ticker/bookTicker"): book,
        ("GET", f"{V1}/ticker/24hr"): Endpoint(run=public.day_ticker, weight=weight_by_symbol(1, 40)),
        ("GET", f"{V1}/premiumIndex"): Endpoint(run=market.premium_index, weight=weight_by_symbol(1, 10)),
        ("POST", f"{V1}/order"): place,
        ("POST", f"{V1}/order/test"): _trade(orders.test),
        ("PUT", f"{V1}/order"): modify,
        ("GET", f"{V1}/order"): query,
        ("DELETE", f"{V1}/order"): cancel,
        ("POST", f"{V1}/batchOrders"): _trade(orders.place_batch, weight=_BATCH, orders=_BATCH),
        ("DELETE", f"{V1}/batchOrders"): _trade(orders.cancel_batch),
        ("GET", f"{V1}/openOrder"): _signed(orders.open_order),
        ("GET", f"{V1}/openOrders"): _signed(orders.open_orders, weight_by_symbol(1, 40)),
        ("GET", f"{V1}/allOrders"): _signed(orders.all_orders, 5),
        ("DELETE", f"{V1}/allOpenOrders"): _trade(orders.cancel_all),
        ("POST", f"{V1}/countdownCancelAll"): _trade(orders.countdown, weight=10),
        ("GET", f"{V1}/userTrades"): _signed(orders.trades, 5),
        ("POST", f"{V1}/algoOrder"): place_algo,
        ("GET", f"{V1}/algoOrder"): _signed(algo.query),
        ("DELETE", f"{V1}/algoOrder"): cancel_algo,
        ("GET", f"{V1}/openAlgoOrders"): _signed(algo.open_orders, weight_by_symbol(1, 40)),
        ("GET", f"{V1}/allAlgoOrders"): _signed(algo.all_orders, 5),
        ("DELETE", f"{V1}/algoOpenOrders"): _trade(algo.cancel_all),
        ("GET", f"{V3}/account"): account,
        ("GET", f"{V2}/account"): older_account,
        ("GET", f"{V3}/balance"): balance,
        ("GET", f"{V2}/balance"): balance,
        ("GET", f"{V3}/positionRisk"): risk,
        ("GET", f"{V2}/positionRisk"): older_risk,
        ("POST", f"{V1}/leverage"): _trade(accounts.set_leverage),
        ("POST", f"{V1}/marginType"): _trade(accounts.set_margin_type),
        ("GET", f"{V1}/positionSide/dual"): _signed(accounts.position_mode, 30),
        ("POST", f"{V1}/positionSide/dual"): _trade(accounts.set_position_mode),
        ("GET", f"{V1}/leverageBracket"): _signed(accounts.leverage_brackets),
        ("GET", f"{V1}/symbolConfig"): _signed(accounts.symbol_configuration, 5),
        ("GET", f"{V1}/commissionRate"): _signed(accounts.commission_rate, 20),
        ("GET", f"{V1}/income"): _signed(accounts.income, 30),
        ("POST", f"{V1}/listenKey"): create_key,
        ("PUT", f"{V1}/listenKey"): prolong_key,
        ("DELETE", f"{V1}/listenKey"): delete_key,
    }
    methods = {
        "ping": Endpoint(run=public.ping),
        "time": Endpoint(run=public.time),
        "depth": depth,
        "ticker.price": price,
        "ticker.book": book,
        "order.place": place,
        "order.modify": modify,
        "order.status": query,
        "order.cancel": cancel,
        "algoOrder.place": place_algo,
        "algoOrder.cancel": cancel_algo,
        "account.status": older_account,
        "v2/account.status": account,
        "account.balance": balance,
        "v2/account.balance": balance,
        "account.position": older_risk,
        "v2/account.position": risk,
        "userDataStream.start": create_key,
        "userDataStream.ping": prolong_key,
        "userDataStream.stop": delete_key,
    }
    return Endpoints(routes=routes, methods=methods)


def _trade(run: Run, *, weight: int = 1, orders: int = 0) -> Endpoint:
    return Endpoint(run=run, security=Security.TRADE, weight=weight, orders=orders)


def _signed(run: Run, weight: Weight = 1) -> Endpoint:
    return Endpoint(run=run, security=Security.SIGNED, weight=weight)
