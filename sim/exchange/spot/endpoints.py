"""What a spot venue can be asked, over HTTP and over the WebSocket API."""

from __future__ import annotations

from typing import Final

from sim.exchange import answers
from sim.exchange.aggregate_trades import AggregateTrades
from sim.exchange.answers import Json
from sim.exchange.calls import Call, Endpoint, Endpoints, Security, weight_by_symbol
from sim.exchange.day_statistics import DayStatistics
from sim.exchange.market_data import MarketData, depth_weight
from sim.exchange.quota import Quota
from sim.exchange.spot.account import SpotAccounts
from sim.exchange.spot.lists import SpotLists
from sim.exchange.spot.orders import SpotOrders
from sim.exchange.spot.written import SpotWriter
from sim.exchange.symbols import Symbols
from sim.exchange.venue.venue import SimulatedVenue
from sim.exchange.writing import SpotNumbers

ROOT: Final = "/api/v3"
_DEPTH: Final = depth_weight((100, 5), (500, 25), (1_000, 50), (5_000, 250))


def spot_endpoints(
    venue: SimulatedVenue,
    symbols: Symbols,
    numbers: SpotNumbers,
    aggregates: AggregateTrades,
    day: DayStatistics,
    quota: Quota,
) -> Endpoints:
    """Routes and methods, with their weights as Binance states them."""
    writer = SpotWriter(numbers)
    market = MarketData(venue, symbols, numbers, aggregates, day, futures=False)
    orders = SpotOrders(venue, symbols, writer)
    lists = SpotLists(venue, symbols, writer)
    accounts = SpotAccounts(venue, symbols, quota)

    public = {
        ("ping", "ping"): Endpoint(run=market.ping),
        ("time", "time"): Endpoint(run=market.time),
        ("exchangeInfo", "exchangeInfo"): Endpoint(run=accounts.exchange_info, weight=20),
        ("depth", "depth"): Endpoint(run=market.depth, weight=_DEPTH),
        ("trades", "trades.recent"): Endpoint(run=market.trades, weight=25),
        ("aggTrades", "trades.aggregate"): Endpoint(run=market.aggregate_trades, weight=4),
        ("ticker/price", "ticker.price"): Endpoint(run=market.price, weight=weight_by_symbol(2, 4)),
        ("ticker/24hr", "ticker.24hr"): Endpoint(run=market.day_ticker, weight=weight_by_symbol(2, 80)),
        ("ticker/bookTicker", "ticker.book"): Endpoint(run=market.book_ticker, weight=weight_by_symbol(2, 4)),
    }
    place = Endpoint(run=orders.place, security=Security.TRADE, orders=1)
    test = Endpoint(run=orders.test, security=Security.TRADE)
    query = Endpoint(run=orders.query, security=Security.SIGNED, weight=4)
    cancel = Endpoint(run=orders.cancel, security=Security.TRADE)
    cancel_all = Endpoint(run=orders.cancel_all, security=Security.TRADE)
    replace = Endpoint(run=orders.replace, security=Security.TRADE, orders=1)
    amend = Endpoint(run=orders.amend, security=Security.TRADE, weight=4)
    open_orders = Endpoint(run=orders.open_orders, security=Security.SIGNED, weight=weight_by_symbol(6, 80))
    all_orders = Endpoint(run=orders.all_orders, security=Security.SIGNED, weight=20)
    trades = Endpoint(run=orders.trades, security=Security.SIGNED, weight=20)
    oco = Endpoint(run=lists.place, security=Security.TRADE, orders=2)
    older_oco = Endpoint(run=lists.place_as_before, security=Security.TRADE, orders=2)
    query_list = Endpoint(run=lists.query, security=Security.SIGNED, weight=4)
    open_lists = Endpoint(run=lists.open_lists, security=Security.SIGNED, weight=6)
    cancel_list = Endpoint(run=lists.cancel, security=Security.TRADE)
    account = Endpoint(run=accounts.account, security=Security.SIGNED, weight=20)
    counts = Endpoint(run=accounts.order_counts, security=Security.SIGNED, weight=40)
    commission = Endpoint(run=accounts.commission, security=Security.SIGNED, weight=20)
    restrictions = Endpoint(run=accounts.restrictions, security=Security.SIGNED)

    routes = {("GET", f"{ROOT}/{path}"): endpoint for (path, _), endpoint in public.items()} | {
        ("POST", f"{ROOT}/order"): place,
        ("POST", f"{ROOT}/order/test"): test,
        ("GET", f"{ROOT}/order"): query,
        ("DELETE", f"{ROOT}/order"): cancel,
        ("POST", f"{ROOT}/order/cancelReplace"): replace,
        ("PUT", f"{ROOT}/order/amend/keepPriority"): amend,
        ("GET", f"{ROOT}/openOrders"): open_orders,
        ("DELETE", f"{ROOT}/openOrders"): cancel_all,
        ("GET", f"{ROOT}/allOrders"): all_orders,
        ("GET", f"{ROOT}/myTrades"): trades,
        ("POST", f"{ROOT}/orderList/oco"): oco,
        ("POST", f"{ROOT}/order/oco"): older_oco,
        ("GET", f"{ROOT}/orderList"): query_list,
        ("GET", f"{ROOT}/openOrderList"): open_lists,
        ("DELETE", f"{ROOT}/orderList"): cancel_list,
        ("GET", f"{ROOT}/account"): account,
        ("GET", f"{ROOT}/rateLimit/order"): counts,
        ("GET", f"{ROOT}/account/commission"): commission,
        ("GET", "/sapi/v1/account/apiRestrictions"): restrictions,
    }
    routes |= {(verb, f"{ROOT}/userDataStream"): _gone(verb) for verb in ("POST", "PUT", "DELETE")}
    methods = {method: endpoint for (_, method), endpoint in public.items()} | {
        "order.place": place,
        "order.test": test,
        "order.status": query,
        "order.cancel": cancel,
        "order.cancelReplace": replace,
        "order.amend.keepPriority": amend,
        "openOrders.status": open_orders,
        "openOrders.cancelAll": cancel_all,
        "allOrders": all_orders,
        "myTrades": trades,
        "orderList.place.oco": oco,
        "orderList.place": older_oco,
        "orderList.status": query_list,
        "openOrderLists.status": open_lists,
        "orderList.cancel": cancel_list,
        "account.status": account,
        "account.rateLimits.orders": counts,
        "account.commission": commission,
    }
    methods |= {name: _gone(name) for name in ("userDataStream.start", "userDataStream.ping", "userDataStream.stop")}
    return Endpoints(routes=routes, methods=methods)


def _gone(name: str) -> Endpoint:
    """Listen keys of spot, which were removed in February 2026."""

    def run(call: Call) -> Json:
        raise answers.gone(name)

    return Endpoint(run=run)
