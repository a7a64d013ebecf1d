"""Funding of perpetual futures: what a recording states of it, what is assumed without, and what the run loop hears."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from market.errors import Rejected
from market.orders.kinds import Side
from market.wire.markets import Market
from market.wire.venues import VENUES
from sim.backtest import layout
from sim.backtest.funding import (
    AssumedFunding,
    MarketFunding,
    StatedFunding,
    funded,
    is_perpetual,
    stated_funding,
)
from sim.backtest.layout import TAPE_KIND, TapeKind
from sim.backtest.tape import Tape
from sim.replay.source import SourceSettings
from tests.sim.backtest.tapes import TapeWriter
from tests.sim.backtest.test_gateway import LISTING, Stage

HOUR_NS = 3_600 * 10**9


def mark(symbol: str, at_ms: int, rate: str, price: str) -> dict[str, object]:
    """Binance's message, without what funding does not need."""
    return {"e": "markPriceUpdate", "E": 1, "s": symbol, "p": price, "i": price, "P": price, "r": rate, "T": at_ms}


def recording(path: Path, *messages: tuple[int, object]) -> SourceSettings:
    path.write_text("".join(f"{receive} {json.dumps(message)}\n" for receive, message in messages))
    return SourceSettings("binance-usdm", path, VENUES["binance-usdm"], (Market("BTCUSDT", 2, 3),), (None,), lag_ns=7)


def test_mark_prices_of_all_forms_are_read_and_nothing_else(tmp_path: Path) -> None:
    one = mark("BTCUSDT", 28_800_000, "0.00012345", "61000.5")
    source = recording(
        tmp_path / "lines",
        (5, {"e": "aggTrade", "s": "BTCUSDT", "p": "1", "r": "1", "T": 1}),
        (10, {"stream": "btcusdt@markPrice", "data": one}),
        (11, {"stream": "!markPrice@arr", "data": [one, mark("ETHUSDT", 28_800_000, "-0.0001", "2500")]}),
        (12, one),
        (13, mark("BTCUSDT_250926", 0, "", "62000")),
        (14, mark("BTCUSDT", 28_800_000, "none", "61000")),
        (15, "markPriceUpdate"),
    )
    with source.path.open("a") as file:
        file.write("16 {markPriceUpdate\nmarkPriceUpdate\n")
    found = stated_funding(source)
    btc = StatedFunding("BTCUSDT", 17, 28_800_000 * 10**6, 123_450, Decimal("61000.5"))
    eth = StatedFunding("ETHUSDT", 18, 28_800_000 * 10**6, -100_000, Decimal(2500))
    assert found == [btc, replace(btc, receive_ns=18), eth, replace(btc, receive_ns=19)]


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTCUSD_PERP", "BTC-PERPETUAL", "BTC-USDT-SWAP", "PF_XBTUSD"])
def test_perpetual_futures(symbol: str) -> None:
    assert is_perpetual(symbol)


@pytest.mark.parametrize(
    "symbol", ["BTCUSDT_250926", "BTCUSD_250926", "BTC-26SEP25", "BIT-29MAR24-CDE", "BTC-USD-250926"]
)
def test_dated_futures_pay_nothing(symbol: str) -> None:
    assert not is_perpetual(symbol)


def hours(until: int) -> Tape:
    """A book that is stated every half hour."""
    writer = TapeWriter().snapshot(HOUR_NS, [(100, 5)], [(102, 5)])
    for half in range(3, 2 * until + 1):
        writer.book(half * HOUR_NS // 2, [(100, 5)])
    tape = writer.tape()
    return replace(tape, ahead_ns=(("venue", 600 * 10**9),))


def payments(tape: Tape) -> list[tuple[int, int, int]]:
    """Time, rate and twice the mark of each."""
    rows = tape.rows[tape.rows[:, TAPE_KIND] == TapeKind.FUNDING]
    columns = [layout.EXCHANGE_NS, layout.FUNDING_PPB, layout.FUNDING_MARK_DOUBLED]
    return [tuple(row) for row in rows[:, columns].tolist()]


def test_an_assumed_rate_is_paid_at_multiples_of_its_interval_on_the_clock_of_the_venue() -> None:
    tape = funded(hours(20), {0: MarketFunding((), AssumedFunding(100_000, 8 * HOUR_NS))})
    ahead_ns = 600 * 10**9
    assert payments(tape) == [(8 * HOUR_NS - ahead_ns, 100_000, 0), (16 * HOUR_NS - ahead_ns, 100_000, 0)]
    assert (tape.rows[:, layout.EXCHANGE_NS].tolist()) == sorted(tape.rows[:, layout.EXCHANGE_NS].tolist())
    received = tape.rows[tape.received, layout.RECEIVE_NS].tolist()
    assert received == sorted(received)
    assert sorted(tape.received.tolist()) == list(range(len(tape.rows)))
    assert tape.events == hours(20).events


def test_the_last_statement_before_a_payment_holds() -> None:
    ahead_ns = 600 * 10**9

    def said(receive_ns: int, at_ns: int, rate_ppb: int, price: str = "101") -> StatedFunding:
        return StatedFunding("AB", receive_ns, at_ns, rate_ppb, Decimal(price))

    due = 8 * HOUR_NS
    stated = [
        said(HOUR_NS, due, 1),
        said(due - ahead_ns - 1, due, 2, "103.5"),
        said(due - ahead_ns + 1, due, 3),
        said(due, 2 * due, 4),
        said(3 * HOUR_NS, HOUR_NS // 2, 5),
        said(4 * HOUR_NS, 100 * HOUR_NS, 6),
    ]
    tape = funded(hours(20), {0: MarketFunding(stated, AssumedFunding(100_000, HOUR_NS))})
    assert payments(tape) == [(due - ahead_ns, 2, 207), (2 * due - ahead_ns, 4, 202)]


def test_nothing_is_paid_where_nothing_is_stated_or_assumed() -> None:
    tape = hours(20)
    assert funded(tape, {0: MarketFunding()}) is tape


@pytest.mark.parametrize(("rate_ppb", "interval_ns"), [(10**9 + 1, 1), (1, 0), (1, -5)])
def test_an_assumption_that_cannot_be_is_refused(rate_ppb: int, interval_ns: int) -> None:
    with pytest.raises(Rejected, match="funding was"):
        AssumedFunding(rate_ppb, interval_ns)


def test_the_gateway_pays_on_what_is_held_when_it_is_heard() -> None:
    writer = TapeWriter().snapshot(1, [(100, 50)], [(102, 50)]).funding(30, 10**7).funding(100, 10**7, 250)
    stage = Stage(writer.funding(200, -(10**7)), is_derivative=True)
    stage.send(1, Side.BUY, 0, 50)
    stage.go(90)
    # 10 lots at 101 ticks, at 1 %: 10.1 ticks times a lot, paid 11.
    assert [paid.amount for paid in stage.gateway.funding] == [11 * LISTING.tick * LISTING.lot]
    # Nothing works any more, and yet there is somebody to look at the next payment when it is heard.
    assert stage.gateway.next_ns() == 120
    stage.go(119)
    before = stage.gateway.funding_paid((0, 0), 119)
    stage.go(300)
    first, second, third = stage.gateway.funding
    assert (first.heard_ns, second.heard_ns, third.heard_ns) == (50, 120, 220)
    assert (second.quantity, second.mark_doubled) == (10 * LISTING.lot, 250 * LISTING.tick)
    # 10 lots at 125 ticks, at 1 %: 12.5 ticks times a lot, paid 13.
    assert second.amount == 13 * LISTING.tick * LISTING.lot
    assert stage.gateway.funding_paid((0, 0), 120) == before + second.amount
    assert third.amount == -10 * LISTING.tick * LISTING.lot
