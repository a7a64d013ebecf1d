"""What strategies see and when, and what becomes of what they want."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from market.book import book as header
from market.errors import Fatal, Rejected
from market.fastpath.layout import SCHEMA
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import (
    CancelIntent,
    Intent,
    MarketView,
    OrderChanged,
    QuoteChanged,
    Started,
    TimerFired,
    TimerIntent,
    Traded,
    Triggered,
    WakeCause,
    Wakes,
)
from market.wire.sbe import decode
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.gateway.settling import SettleMode
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.run_loop.worlds import BTC, MS, SPOT, Scripted, decision, world

MARKET = frozenset({(BTC, SPOT)})


def nothing(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    return ()


def test_a_strategy_wakes_for_what_it_declares_and_sees_the_market_of_that_moment(tmp_path: Path) -> None:
    seen = []

    def look(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        quote = view.quote(BTC, SPOT)
        seen.append((quote.time_ns, quote.ask_quantity) if quote else None)
        return ()

    everything = Scripted(look, Wakes(triggers=True, quotes=MARKET, trades=MARKET))
    deaf = Scripted(nothing, tag="deaf")
    world(tmp_path).loop([everything, deaf]).run()
    assert [type(cause) for _, cause in deaf.woken] == [Started]
    assert everything.times_ms(Triggered) == [100, 300, 500]
    assert everything.times_ms(Traded) == [550]
    assert everything.times_ms(QuoteChanged) == [1, 100, 200, 300, 400, 500, 600]
    for (offset_ns, cause), quote in zip(everything.woken, seen, strict=True):
        assert quote is None or quote[0] - START_NS <= offset_ns
        if isinstance(cause, QuoteChanged):
            assert quote is not None
            assert quote[0] - START_NS == offset_ns
    trade = next(cause.trade for _, cause in everything.woken if isinstance(cause, Traded))
    assert (trade.price, trade.quantity, trade.aggressor) == (61_700 * 10**9, 5 * 10**8, Side.SELL)
    assert trade.trade_id > 0
    trigger = next(cause.trigger for _, cause in everything.woken if isinstance(cause, Triggered))
    assert [(leg.side, leg.price, leg.quantity) for leg in trigger.legs] == [(Side.BUY, 61_700_010_000_000, 10**7)]


def test_timers_fire_in_order_between_records_and_past_ones_at_once(tmp_path: Path) -> None:
    def arrange(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            yield TimerIntent(at_ns=START_NS + 250 * MS, number=2)
            yield TimerIntent(at_ns=START_NS + 100 * MS, number=1)
            yield TimerIntent(at_ns=0, number=0)
            yield TimerIntent(at_ns=START_NS + 900 * MS, number=9)

    strategy = Scripted(arrange, Wakes(quotes=MARKET))
    world(tmp_path).loop([strategy]).run()
    fired = [(offset / MS, cause.number) for offset, cause in strategy.woken if isinstance(cause, TimerFired)]
    assert fired == [(0, 0), (100, 1), (250, 2)]
    at_100 = [type(cause) for offset, cause in strategy.woken if offset == 100 * MS]
    assert at_100 == [TimerFired, QuoteChanged]


def test_triggers_that_nobody_answers_are_released(tmp_path: Path) -> None:
    small = world(tmp_path)
    summary = small.loop([]).run()
    settles = [cause for cause in small.journal.payloads if decode(SCHEMA, cause).name == "Acknowledge"]
    assert summary.counts.triggers == 3
    assert summary.counters["controlRefused"] == 0
    assert (
        len([a for a in settles if decode(SCHEMA, a).fields["template"] == SCHEMA.message("Settle").template_id]) == 3
    )


def test_an_order_of_its_own_takes_room_from_the_fast_loop(tmp_path: Path) -> None:
    def fill_up(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            yield decision(view, 1, quantity="0.5", time_in_force=TimeInForce.IOC)

    for mode, triggers in ((SettleMode.FILLED, 0), (SettleMode.UNFILLED, 3)):
        small = world(tmp_path)
        summary = small.loop([Scripted(fill_up), TakeTriggers()], small.gateway(mode)).run()
        assert summary.counts.triggers == triggers
        assert summary.counters["gatePosition"] == 3 - triggers
        assert summary.counters["controlRefused"] == 0


def test_an_order_rests_until_it_is_cancelled_and_its_strategy_hears_all_of_it(tmp_path: Path) -> None:
    def quote_and_leave(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            yield decision(view, 1)
            yield TimerIntent(at_ns=START_NS + 50 * MS, number=1)
        elif isinstance(cause, TimerFired):
            (working,) = view.working_orders("script")
            assert view.working_orders() == (working,)
            assert not view.working_orders("another")
            yield CancelIntent(client_order_id=working.client_order_id)
            yield CancelIntent(client_order_id=working.client_order_id)

    strategy = Scripted(quote_and_leave)
    small = world(tmp_path)
    summary = small.loop([strategy]).run()
    states = [(offset / MS, cause.order.state) for offset, cause in strategy.woken if isinstance(cause, OrderChanged)]
    assert states == [
        (0, OrderState.SENT),
        (1, OrderState.OPEN),
        (50, OrderState.CANCEL_REQUESTED),
        (51, OrderState.CANCELLED),
    ]
    assert summary.orders[0].client_order_id == "script-d1-1-0"
    assert tuple(small.journal.orders().values()) == summary.orders


def test_fills_make_positions_by_strategy_and_in_all(tmp_path: Path) -> None:
    views: list[MarketView] = []

    def buy(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        views.append(view)
        if isinstance(cause, Started):
            yield decision(view, 1, tag="first", quantity="0.3")

    def sell(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            yield decision(view, 1, tag="second", quantity="0.1", side=Side.SELL, price="61701.00")

    small = world(tmp_path)
    summary = small.loop(
        [Scripted(buy, tag="first"), Scripted(sell, tag="second")], small.gateway(SettleMode.FILLED)
    ).run()
    view = views[-1]
    assert [view.position(BTC, SPOT, tag).quantity for tag in ("first", "second", None)] == [
        3 * 10**8,
        -(10**8),
        2 * 10**8,
    ]
    total = summary.positions[BTC, SPOT]
    assert total.realised == 10**9 * 10**8
    assert total.fees == 0


def test_refused_intents_are_orders_too_and_never_reach_the_gateway(tmp_path: Path) -> None:
    def careless(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            yield decision(view, 1, price="61700.001")
            yield decision(view, 2, quantity="0.3")
            yield decision(view, 3)
            yield decision(view, 3)
            yield CancelIntent(client_order_id="another-d1-1-0")

    def at_most_a_fifth(intent: OrderIntent, view: MarketView) -> None:
        if intent.quantity > 2 * 10**8:
            raise Rejected("too much")

    strategy = Scripted(careless)
    summary = world(tmp_path).loop([strategy], checks=[at_most_a_fifth]).run()
    assert [order.state for order in summary.orders] == [OrderState.REJECTED, OrderState.REJECTED, OrderState.OPEN]
    assert "expected a positive multiple of 0.01" in summary.orders[0].reason
    assert summary.orders[1].reason == "too much"
    counts = summary.counts
    assert (counts.placed, counts.refused, counts.repeated, counts.strategy_errors) == (1, 2, 1, 1)
    assert [cause.order.state for _, cause in strategy.woken if isinstance(cause, OrderChanged)][:3] == [
        OrderState.REJECTED,
        OrderState.REJECTED,
        OrderState.SENT,
    ]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"epoch": 2}, "expected one of the trigger that is being answered"),
        ({"leg": 1}, "answers leg 1 of 1"),
        ({"quantity": 2 * 10**7}, "expected BUY at most 10000000"),
        ({"side": Side.SELL}, "expected BUY"),
    ],
)
def test_an_answer_must_fit_its_trigger(tmp_path: Path, change: dict[str, int], text: str) -> None:
    def answer(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if not isinstance(cause, Triggered):
            return
        trigger = cause.trigger
        yield OrderIntent(
            cause=Cause(
                strategy="script",
                origin=Origin.TRIGGER,
                epoch=change.get("epoch", trigger.epoch),
                number=trigger.id,
                leg=change.get("leg", 0),
            ),
            decided_ns=view.now_ns,
            instrument=BTC,
            venue=SPOT,
            side=Side(change.get("side", Side.BUY)),
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC,
            quantity=change.get("quantity", 10**7),
            limit_price=61_700_010_000_000,
        )

    summary = world(tmp_path).loop([Scripted(answer, Wakes(triggers=True))]).run()
    assert (summary.counts.triggers, summary.counts.refused, summary.counts.placed) == (3, 3, 0)
    assert text in summary.orders[0].reason
    assert summary.counters["controlRefused"] == 0


def test_an_answer_may_take_a_part_of_its_leg(tmp_path: Path) -> None:
    def halve(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        for intent in TakeTriggers("script").wake(cause, view):
            assert isinstance(intent, OrderIntent)
            yield OrderIntent(
                **{name: getattr(intent, name) for name in intent.__struct_fields__ if name != "quantity"},
                quantity=intent.quantity // 2,
            )

    small = world(tmp_path)
    summary = small.loop([Scripted(halve, Wakes(triggers=True))], small.gateway(SettleMode.FILLED)).run()
    assert summary.positions[BTC, SPOT].quantity == 3 * 10**7 // 2
    assert summary.counters["controlRefused"] == 0


def test_tags_are_unique_and_are_not_borrowed(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="no tag twice"):
        world(tmp_path).loop([TakeTriggers(), TakeTriggers()])
    with pytest.raises(Rejected, match="strategy tag"):
        world(tmp_path).loop([TakeTriggers("not-a-tag")])

    def borrow(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        return [decision(view, 1, tag="take")] if isinstance(cause, Started) else []

    with pytest.raises(Fatal, match="expected its own tag"):
        world(tmp_path).loop([Scripted(borrow), TakeTriggers()]).run()


def test_a_strategy_that_refuses_a_cause_is_counted_and_runs_on(tmp_path: Path) -> None:
    def refuse(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        raise Rejected("not now")

    strategy = Scripted(refuse, Wakes(triggers=True))
    summary = world(tmp_path).loop([strategy]).run()
    assert len(strategy.woken) == summary.counts.strategy_errors == 4
    assert summary.counts.problems == ["strategy script: not now"] * 4


def test_an_error_kills_the_fast_loop_before_it_ends_the_run(tmp_path: Path) -> None:
    def fail(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Triggered):
            raise ZeroDivisionError
        return ()

    small = world(tmp_path)
    engine = small.engine
    with pytest.raises(ZeroDivisionError):
        small.loop([Scripted(fail, Wakes(triggers=True))], engine=engine).run()
    answers = [decode(SCHEMA, payload) for payload in engine.outputs()]
    kill = SCHEMA.message("Kill").template_id
    assert [answer.fields["template"] for answer in answers if answer.name == "Acknowledge"] == [kill]


def test_a_stopped_loop_kills_the_fast_loop_and_sums_up(tmp_path: Path) -> None:
    small = world(tmp_path)

    def stop(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Triggered):
            loop.stop()
        return ()

    loop = small.loop([Scripted(stop, Wakes(triggers=True))])
    summary = loop.run()
    assert summary.counts.triggers == 1
    assert not summary.interrupted
    last = [decode(SCHEMA, payload).fields for payload in small.journal.payloads][-1]
    assert last["template"] == SCHEMA.message("Kill").template_id


def test_an_interrupt_ends_the_run_with_what_there_is(tmp_path: Path) -> None:
    def interrupt(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Triggered):
            raise KeyboardInterrupt
        return ()

    summary = world(tmp_path).loop([Scripted(interrupt, Wakes(triggers=True))]).run()
    assert summary.interrupted
    assert summary.counts.triggers == 1


def test_a_book_shows_nothing_later_than_the_quote_that_woke(tmp_path: Path) -> None:
    seen = []

    def look(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        book, quote = view.book(BTC, SPOT), view.quote(BTC, SPOT)
        assert book is not None
        seen.append((int(book[header.TOP_ID]), quote.sequence if quote else 0))
        return ()

    world(tmp_path).loop([Scripted(look, Wakes(quotes=MARKET))]).run()
    assert len(seen) == 8
    assert [in_book for in_book, _ in seen[1:]] == [in_quote for _, in_quote in seen[1:]]
    assert world(tmp_path).loop([])._view.book(BTC, SPOT + 1) is None
