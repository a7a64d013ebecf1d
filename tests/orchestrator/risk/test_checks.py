"""What each rule refuses before an order is sent, and what it lets pass."""

from __future__ import annotations

from decimal import Decimal

import pytest

from market.book import book as header
from market.book.book import new_books
from market.book.continuity import Rule
from market.errors import Rejected
from market.orders.events import Cancelled
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.orders.reports import Balance, Balances
from orchestrator.risk.checks.balance import AvailableBalance
from orchestrator.risk.checks.exposure import ExposureLimit, PositionLimit
from orchestrator.risk.checks.prices import PriceCollar
from orchestrator.risk.checks.rates import FlowRatios, MessageRate
from orchestrator.risk.checks.self_trade import SelfTradePrevention
from orchestrator.risk.checks.sizes import OpenOrderCount, OrderSize
from orchestrator.risk.checks.sound_book import SoundBook
from orchestrator.risk.commitments import Commitments, Marks
from tests.orchestrator.risk.floor import BTC, FUTURES, MS, SECOND, SPOT, Floor, floor

KEY = (BTC, SPOT)


def stop(small: Floor, side: Side, price: str) -> OrderIntent:
    count = small.listing(*KEY).instrument.price_scale.count(price)
    return small.intent(side, price="", type=OrderType.STOP, time_in_force=TimeInForce.GTC, stop_price=count)


@pytest.mark.parametrize(
    ("side", "price", "passes"),
    [
        (Side.BUY, "62317.1", True),  # 1 % above the ask
        (Side.BUY, "62317.2", False),
        (Side.BUY, "59849", True),  # the instrument's lower bound, 3 % below the reference
        (Side.BUY, "59848.9", False),
        (Side.SELL, "61083", True),
        (Side.SELL, "61082.9", False),
        (Side.SELL, "63551", True),
        (Side.SELL, "63551.1", False),
    ],
)
def test_the_collar_stops_prices_that_are_worse_than_the_market(side: Side, price: str, passes: bool) -> None:
    small = floor()
    collar, intent = PriceCollar(small.limits), small.intent(side, price=price)
    if passes:
        collar(intent, small)
    else:
        with pytest.raises(Rejected, match=r"price on BTCUSDT on binance-spot was .*; expected .* to "):
            collar(intent, small)


def test_without_a_quote_nothing_can_be_compared_with_the_market() -> None:
    small = floor()
    small.quotes.clear()
    with pytest.raises(Rejected, match="had no best bid and offer"):
        PriceCollar(small.limits)(small.intent(), small)


def test_an_order_is_limited_in_quantity_and_worth() -> None:
    small = floor(limits={"maximum_order_notional_quote": 1_000})
    size = OrderSize(small.limits)
    size(small.intent(quantity="0.0162", price="61700"), small)
    with pytest.raises(Rejected, match="notional was"):
        size(small.intent(quantity="0.0163", price="61700"), small)
    with pytest.raises(Rejected, match=r"quantity was 0\.051; expected at most 0\.05"):
        size(small.intent(quantity="0.051"), small)
    # A sale far below the market is worth what it will fetch, not its limit.
    with pytest.raises(Rejected, match="notional was"):
        size(small.intent(Side.SELL, quantity="0.0163", price="1"), small)


def test_an_instrument_can_have_limits_of_its_own() -> None:
    small = floor(instruments={"BTC": {"maximum_order_notional_quote": 100}})
    with pytest.raises(Rejected, match="notional was"):
        OrderSize(small.limits)(small.intent(quantity="0.002"), small)


def test_only_so_many_orders_may_work() -> None:
    small = floor(limits={"maximum_open_orders": 2})
    small.checks = [OpenOrderCount(small.limits)]
    orders = [small.place(small.intent(quantity="0.001")) for _ in range(3)]
    assert "2 orders were working; expected fewer than 2" in orders[2].reason
    small.end(orders[0])
    assert small.place(small.intent(quantity="0.001")).is_working


def test_positions_and_pending_orders_take_room() -> None:
    small = floor()
    small.checks = [PositionLimit(small.limits, Commitments(0))]
    small.hold("0.46")
    first = small.place(small.intent(quantity="0.03"))
    assert first.is_working
    assert "BUY was 0.02; expected at most 0.01" in small.place(small.intent(quantity="0.02")).reason
    small.end(first)
    assert small.place(small.intent(quantity="0.02")).is_working
    assert small.place(small.intent(Side.SELL, quantity="0.05")).is_working


def test_a_way_out_stays_open_beyond_the_limit() -> None:
    small = floor()
    check = PositionLimit(small.limits, Commitments(0))
    small.hold("0.6")
    with pytest.raises(Rejected, match="expected at most 0 on"):
        check(small.intent(quantity="0.001"), small)
    check(small.intent(Side.SELL, quantity="0.05"), small)


def test_a_cancelled_order_keeps_its_room_until_late_fills_must_have_been_heard() -> None:
    small = floor()
    commitments = Commitments(250 * MS)
    small.checks = [PositionLimit(small.limits, commitments)]
    small.hold("0.45")
    order = small.place(small.intent(quantity="0.05"))
    commitments.note_cancelled(small.end(order).client_order_id, Cancelled(time_ns=small.now_ns))
    assert not small.place(small.intent(quantity="0.01")).is_working
    small.now_ns += 250 * MS
    assert small.place(small.intent(quantity="0.01")).is_working


def test_room_is_free_at_once_when_the_venue_has_said_how_much_was_executed() -> None:
    small = floor()
    commitments = Commitments(250 * MS)
    small.checks = [PositionLimit(small.limits, commitments)]
    small.hold("0.45")
    untouched = small.place(small.intent(quantity="0.05"))
    end = Cancelled(time_ns=small.now_ns, executed=0)
    commitments.note_cancelled(small.end(untouched).client_order_id, end)
    order = small.place(small.intent(quantity="0.05"))
    assert order.is_working
    executed = order.intent.quantity // 5
    commitments.note_cancelled(small.end(order).client_order_id, Cancelled(time_ns=small.now_ns, executed=executed))
    small.now_ns += 1_000 * MS
    assert not small.place(small.intent(quantity="0.04")).is_working, "a fill is still to come, however late"
    small.fill(order, executed)
    assert not small.place(small.intent(quantity="0.05")).is_working, "0.01 of it was bought"
    assert small.place(small.intent(quantity="0.04")).is_working


def test_exposure_is_limited_per_instrument_over_venues() -> None:
    small = floor(limits={"maximum_instrument_exposure_quote": 5_000})
    small.checks = [ExposureLimit(small.limits, Commitments(0), Marks())]
    small.hold("0.05")
    short = small.place(small.intent(Side.SELL, "0.05", price="61700", key=(BTC, FUTURES)))
    assert "exposure to instrument 0 would be 6170" in short.reason
    assert small.place(small.intent(Side.SELL, "0.03", key=(BTC, FUTURES))).is_working


def test_exposure_is_limited_over_all_instruments_and_by_leverage() -> None:
    whole = floor(limits={"maximum_exposure_quote": 3_000})
    with pytest.raises(Rejected, match="exposure of all instruments would be 3085"):
        ExposureLimit(whole.limits, Commitments(0), Marks())(whole.intent(quantity="0.05"), whole)
    small = floor(limits={"capital_quote": 1_000, "maximum_leverage": 3})
    check = ExposureLimit(small.limits, Commitments(0), Marks())
    check(small.intent(quantity="0.0486", price="61700"), small)
    with pytest.raises(Rejected, match=r"at a leverage of 3 would be 3004\.792435; expected at most 3000"):
        check(small.intent(quantity="0.0487", price="61700"), small)


def test_leverage_counts_the_capital_as_it_stands() -> None:
    small = floor(limits={"capital_quote": 1_000, "maximum_leverage": 1})
    check = ExposureLimit(small.limits, Commitments(0), Marks())
    small.hold("0.01", price="71700")  # bought 10,000 above the market: 100 is lost
    with pytest.raises(Rejected, match=r"would be 925\.50075; expected at most 900\.0005"):
        check(small.intent(quantity="0.005", price="61700"), small)
    check(small.intent(Side.SELL, quantity="0.01"), small)


def test_a_market_without_a_price_is_valued_at_what_it_cost() -> None:
    small = floor(limits={"maximum_exposure_quote": 1_000})
    small.hold("0.01", key=(BTC, FUTURES))
    del small.quotes[BTC, FUTURES]
    with pytest.raises(Rejected, match="exposure of all instruments would be 1234"):
        ExposureLimit(small.limits, Commitments(0), Marks())(small.intent(quantity="0.01"), small)


@pytest.mark.parametrize(
    ("working", "new", "crosses"),
    [
        ((Side.SELL, "61700"), (Side.BUY, "61700"), True),
        ((Side.SELL, "61700.1"), (Side.BUY, "61700"), False),
        ((Side.SELL, "61800"), (Side.BUY, ""), True),
        ((Side.BUY, ""), (Side.SELL, "61900"), True),
        ((Side.BUY, "61700"), (Side.BUY, "61800"), False),
        ((Side.BUY, "61700"), (Side.SELL, "61600"), True),
    ],
)
def test_no_order_may_trade_with_another_one_of_ours(
    working: tuple[Side, str], new: tuple[Side, str], crosses: bool
) -> None:
    small = floor()
    first = small.place(small.intent(working[0], price=working[1]))
    small.checks = [SelfTradePrevention()]
    second = small.place(small.intent(new[0], price=new[1], tag="other"))
    assert second.is_working is not crosses
    if crosses:
        assert f"would trade with our own {first.client_order_id}" in second.reason
    assert small.place(small.intent(new[0], price=new[1], key=(BTC, FUTURES))).is_working


def test_an_order_whose_cancellation_is_not_confirmed_still_stands_in_the_way() -> None:
    small = floor()
    first = small.place(small.intent(Side.SELL))
    small.cancel(first.client_order_id)
    check = SelfTradePrevention()
    with pytest.raises(Rejected, match="would trade with our own"):
        check(small.intent(), small)
    small.end(first)
    check(small.intent(), small)


def test_stops_wait_outside_the_book() -> None:
    small = floor()
    small.place(stop(small, Side.SELL, "60000"))
    SelfTradePrevention()(small.intent(price="61700"), small)
    small.place(small.intent(Side.SELL, price="61800"))
    SelfTradePrevention()(stop(small, Side.BUY, "62000"), small)


def test_a_stale_or_silent_market_is_not_traded() -> None:
    small = floor()
    check = SoundBook(small.limits)
    small.set_quote("61700", "61700.1", age_ns=SECOND)
    check(small.intent(), small)
    small.set_quote("61700", "61700.1", age_ns=SECOND + 1)
    with pytest.raises(Rejected, match="was 1000000001 ns old; expected at most 1000000000 ns"):
        check(small.intent(), small)
    del small.quotes[KEY]
    with pytest.raises(Rejected, match="had no best bid and offer"):
        check(small.intent(), small)


def test_a_book_that_lost_its_sequence_is_not_traded() -> None:
    small = floor()
    book = new_books([Rule.CONSECUTIVE])
    small.books[KEY] = book
    check = SoundBook(small.limits)
    check(small.intent(), small)
    book[header.STARTED] = 1
    with pytest.raises(Rejected, match="had lost its sequence"):
        check(small.intent(), small)
    book[header.SYNCHRONISED] = 1
    check(small.intent(), small)


def balances(venue: int, **assets: str) -> Balances:
    kept = tuple(Balance(asset=name, free=Decimal(free), locked=Decimal(0)) for name, free in assets.items())
    return Balances(time_ns=1, venue=venue, balances=kept)


def test_balances_must_be_known_and_suffice() -> None:
    small = floor(assets=True)
    check = AvailableBalance(small.limits, Commitments(0), Marks())
    small.checks = [check]
    with pytest.raises(Rejected, match="balances on binance-spot were not known yet"):
        check(small.intent(), small)
    # 0.01 at 61,700 costs 617, and a fee of 10 basis points.
    check.take(balances(SPOT, USDT="617.616"), small)
    with pytest.raises(Rejected, match=r"617\.617 USDT were needed .* at most the 617\.616 there"):
        check(small.intent(), small)
    check.take(balances(SPOT, USDT="617.617"), small)
    first = small.place(small.intent())
    assert first.is_working
    with pytest.raises(Rejected, match=r"1235\.234 USDT were needed"):
        check(small.intent(), small)
    with pytest.raises(Rejected, match=r"0\.005 BTC were needed on binance-spot.* at most the 0 there"):
        check(small.intent(Side.SELL, "0.005"), small)
    small.fill(first)
    check(small.intent(Side.SELL, "0.005"), small)
    with pytest.raises(Rejected, match=r"at most the 0\.617 there"):
        check(small.intent(quantity="0.001"), small)


def test_derivatives_bind_margin() -> None:
    small = floor(assets=True, limits={"maximum_leverage": 2})
    check = AvailableBalance(small.limits, Commitments(0), Marks())
    check.take(balances(FUTURES, USDT="400"), small)
    futures = (BTC, FUTURES)
    check(small.intent(quantity="0.012", key=futures), small)
    with pytest.raises(Rejected, match=r"802\.501\d* USDT were needed on binance-usdm.* at most the 800 there"):
        check(small.intent(quantity="0.013", key=futures), small)
    small.hold("0.05", key=futures)
    check(small.intent(Side.SELL, "0.05", key=futures), small)


def test_listings_that_name_no_assets_are_not_checked() -> None:
    small = floor()
    AvailableBalance(small.limits, Commitments(0), Marks())(small.intent(), small)


def test_messages_to_a_venue_are_limited_within_every_second() -> None:
    small = floor(venues={"binance-spot": {"messages_per_s": 3}})
    rate = MessageRate(small.limits)
    for _ in range(3):
        rate(small.intent(), small)
        rate.note(SPOT, small.now_ns)
    with pytest.raises(Rejected, match="3 messages were sent to venue 0 within a second; expected fewer than 3"):
        rate(small.intent(), small)
    rate(small.intent(key=(BTC, FUTURES)), small)
    small.now_ns += SECOND
    rate(small.intent(), small)


def test_orders_and_cancels_must_lead_to_trades() -> None:
    small = floor(limits={"maximum_order_to_trade": 10, "flow_minimum_orders": 6, "maximum_cancel_pct": 90})
    ratios = FlowRatios(small.limits)
    for _ in range(5):
        ratios.order(small.now_ns)
        ratios.cancel(small.now_ns)
    ratios(small.intent(), small)  # too few to judge
    ratios.order(small.now_ns)
    with pytest.raises(Rejected, match="11 orders and cancels came to 0 fills; expected at most 10 for each"):
        ratios(small.intent(), small)
    ratios.trade(small.now_ns)
    ratios.trade(small.now_ns)
    ratios(small.intent(), small)
    ratios.cancel(small.now_ns)
    with pytest.raises(Rejected, match="6 of 6 orders were cancelled; expected at most 90 %"):
        ratios(small.intent(), small)
    small.now_ns += 3_600 * SECOND
    ratios(small.intent(), small)
