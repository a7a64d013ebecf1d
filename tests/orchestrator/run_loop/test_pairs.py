"""Pairs of orders in the loop: written down and refused together, and never left half."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from market.errors import Rejected, Retry
from market.orders.events import Acknowledged
from market.orders.kinds import OrderState, OrderType, Side
from market.protocols import Intent, MarketView, OcoIntent, Started, WakeCause
from tests.orchestrator.run_loop.worlds import Scripted, ScriptedGateway, decision, fill_event, three_triggers, world


def pair(view: MarketView, stop_price: str = "62000.00") -> OcoIntent:
    """Buys at 61,700, or at the market from a price on."""
    limit, stop = decision(view, 1), decision(view, 2)
    scale = view.listing(stop.instrument, stop.venue).instrument.price_scale
    return OcoIntent(
        limit=msgspec.structs.replace(limit, partner=stop.client_order_id),
        stop=msgspec.structs.replace(
            stop,
            type=OrderType.STOP,
            limit_price=0,
            stop_price=scale.count(stop_price),
            partner=limit.client_order_id,
        ),
    )


def ask(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    return [pair(view)] if isinstance(cause, Started) else []


def test_both_are_written_down_before_either_is_sent_and_refused_together(tmp_path: Path) -> None:
    small = world(tmp_path, three_triggers())
    gateway = ScriptedGateway(small.clock, lambda order: [], refusal=Retry("not connected"))
    summary = small.loop([Scripted(ask)], gateway).run()
    assert [intent.cause.number for intent in small.journal.intents] == [1, 2]
    assert [order.state for order in summary.orders] == [OrderState.REJECTED] * 2
    assert summary.counts.refused == 2


def test_half_a_pair_that_nobody_has_ended_is_cancelled(tmp_path: Path) -> None:
    small = world(tmp_path, three_triggers())
    gateway = ScriptedGateway(
        small.clock,
        lambda order: [
            (1, lambda time_ns: Acknowledged(time_ns=time_ns, venue_order_id="7")),
            *([(5, lambda time_ns: fill_event(order, time_ns))] if order.intent.type is OrderType.LIMIT else []),
        ],
    )
    summary = small.loop([Scripted(ask)], gateway).run()
    limit, stop = summary.orders
    assert (limit.state, stop.state) == (OrderState.FILLED, OrderState.CANCEL_REQUESTED)
    assert gateway.asked.count(("cancel", stop.client_order_id)) == 1


def test_what_is_no_pair_cannot_be_asked_for(tmp_path: Path) -> None:
    found: list[str] = []

    def wrong(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            with pytest.raises(Rejected, match="expected one below the stop price"):
                pair(view, "61000.00")
            good = pair(view)
            with pytest.raises(Rejected, match="expected each other"):
                OcoIntent(limit=msgspec.structs.replace(good.limit, partner="x"), stop=good.stop)
            assert good.limit.side is Side.BUY
            found.append("asked")
        return []

    small = world(tmp_path, three_triggers())
    small.loop([Scripted(wrong)], ScriptedGateway(small.clock, lambda order: [])).run()
    assert found == ["asked"]
