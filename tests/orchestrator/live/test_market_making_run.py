"""A market is made on the simulated exchange: quotes are filled on both sides, stand again, and the money is right."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from config.credentials import read_credentials
from config.execution import Mode
from config.loading import load_settings
from market.orders.kinds import Side
from orchestrator.live.session import LiveSession, RunPlan, live_session
from orchestrator.run_loop.summary import RunSummary
from sim.exchange.venue.kinds import LedgerReason
from sim.exchange.venue.records import VenueOrder
from tests.orchestrator.live.exchange_world import ACCOUNT, FUTURES, SPOT, SYMBOL, ExchangeWorld, exchange_world
from tests.orchestrator.live.test_dead_man_run import MAKING, wait_for

ROUNDS = 3
CLOSE = "spread = 0.0001\nmicroprice_weight = 0\n"
"""Quotes stand inside of the market, so that whoever comes meets them first."""
_QUANTITY_COUNTS = 10
_QUOTE_COUNTS = 10**10
"""Counts of quantity and of notional in a money unit of 1e-8."""


def quotes(world: ExchangeWorld, venue: str) -> dict[Side, VenueOrder]:
    """What the market maker has in the book."""
    return {order.side: order for order in world.do(lambda: world.venues[venue].open_orders(ACCOUNT, SYMBOL))}


def meet(world: ExchangeWorld, venue: str, side: Side) -> None:
    """Somebody trades with a quote of one side, and both stand again afterwards, that one anew."""
    wait_for(lambda: len(quotes(world, venue)) == 2)
    met = quotes(world, venue)[side]

    def trade() -> None:
        world.venues[venue].inject(SYMBOL, side.opposite, met.price_ticks, met.quantity_lots, world.clock.now_ns())

    world.do(trade)
    wait_for(lambda: side in (now := quotes(world, venue)) and len(now) == 2 and now[side].order_id != met.order_id)


def make_a_market(world: ExchangeWorld, venue: str) -> tuple[LiveSession, RunSummary]:
    profile = world.profile("native", extra=(MAKING + CLOSE).replace(SPOT, venue))
    text = profile.read_text(encoding="utf-8").replace('active = ["arbitrage"]', 'active = ["market-making"]')
    profile.write_text(text, encoding="utf-8")
    settings = load_settings(profile, environment=world.environment)
    notes: list[str] = []
    with live_session(settings, read_credentials(world.environment), RunPlan(mode=Mode.LIVE), notes.append) as session:

        def trade() -> None:
            try:
                for _ in range(ROUNDS):
                    meet(world, venue, Side.BUY)
                    meet(world, venue, Side.SELL)
                wait_for(lambda: sum(bool(order.fills) for order in session.loop.access.orders) == 2 * ROUNDS)
            finally:
                session.stop("the test is over")

        other = threading.Thread(target=trade)
        other.start()
        summary = session.run()
        other.join()
    return session, summary


@pytest.mark.parametrize("name", [SPOT, FUTURES])
def test_quotes_are_filled_on_both_sides_stand_again_and_earn_what_the_exchange_says(tmp_path: Path, name: str) -> None:
    with exchange_world(tmp_path) as world:
        # Else the quotes themselves would be the best prices, and the market maker would follow its own mid.
        world.quote(name, Side.SELL, "60010", "10")
        before = {asset: world.balance(name, asset) for asset in ("USDT", "BTC") if name == SPOT or asset == "USDT"}
        _, summary = make_a_market(world, name)
        change = {asset: world.balance(name, asset) - units for asset, units in before.items()}
        entries = world.do(lambda: world.venues[name].ledger(ACCOUNT))
        assert not quotes(world, name)
        trades = world.do(lambda: world.venues[name].trades(ACCOUNT, SYMBOL, limit=1_000))
    filled = [order for order in summary.orders if order.fills]
    assert Counter(order.intent.side for order in filled) == {Side.BUY: ROUNDS, Side.SELL: ROUNDS}
    assert all(trade.is_maker for trade in trades)
    assert {int(fill.fill_id) for order in filled for fill in order.fills} == {trade.trade_id for trade in trades}
    assert summary.counts.contradictions == summary.counts.strategy_errors == 0
    position = summary.positions[0, 0 if name == SPOT else 1]
    for asset, units in change.items():
        assert units == sum(
            entry.units for entry in entries if entry.asset == asset and entry.reason is not LedgerReason.DEPOSIT
        )
    if name == SPOT:
        assert change["BTC"] * _QUANTITY_COUNTS == position.quantity < 0
        assert change["USDT"] * _QUOTE_COUNTS == position.cash - position.fees
    else:
        assert position.quantity == 0
        assert change["USDT"] * _QUOTE_COUNTS == position.realised - position.fees
    assert position.realised > 0
