"""Funding of a run and of its backtest: the same payments, each on what was held.

A run hears nothing of funding, and a tape has no statements of it: payments are those that the settings of the backtest
assume, at the middle of the book then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from market.book.ladder import NO_PRICE
from market.protocols import MarketKey
from market.risk.position import Position
from orchestrator.backtest.models import with_funding
from orchestrator.backtest.plan import Plan
from orchestrator.diff.story import Told, new_fills
from sim.backtest.core import BacktestCore
from sim.backtest.layout import EXCHANGE_NS, FUNDING_MARK_DOUBLED, FUNDING_PPB, TAPE_KIND, TAPE_MARKET, TapeKind

_PPB = 10**9


@dataclass(frozen=True)
class Payment:
    """One payment of a market.

    Parameters
    ----------
    time_ns: on the receiver's clock. rate_ppb: longs pay it. mark_doubled: twice the price, in the tape's ticks; 0:
        nobody knows one, and nothing is paid. tick, lot: counts of the instrument in one of the tape.
    """

    key: MarketKey
    time_ns: int
    rate_ppb: int
    mark_doubled: int
    tick: int
    lot: int

    def amount(self, quantity: int) -> int:
        """What a position pays, in notional counts, rounded up to a tick times a lot; below 0 it receives."""
        counts = -(-(quantity // self.lot * self.mark_doubled * self.rate_ppb) // (2 * _PPB))
        return counts * self.tick * self.lot


def with_payments(plan: Plan) -> Plan:
    """A plan whose exchanges take the funding that its settings assume, at prices that are the same for everybody."""
    tape = with_funding(plan.settings, plan.sources, plan.tape)
    rows = tape.rows
    core = BacktestCore(tape, plan.models)
    for place in [int(at) for at in (rows[:, TAPE_KIND] == int(TapeKind.FUNDING)).nonzero()[0]]:
        core.advance(int(rows[place, EXCHANGE_NS]))
        top = core.top(int(rows[place, TAPE_MARKET]))
        is_known = top.bid != NO_PRICE and top.ask != NO_PRICE and top.bid_lots > 0 and top.ask_lots > 0
        rows[place, FUNDING_MARK_DOUBLED] = top.bid + top.ask if is_known else 0
    return replace(plan, tape=tape)


def payments_of(plan: Plan) -> Sequence[Payment]:
    """The payments on a plan's tape of markets that are traded, in order of time."""
    keys = {market.number: (key, market.listing) for key, market in plan.markets.items()}
    rows = plan.tape.rows[plan.tape.rows[:, TAPE_KIND] == int(TapeKind.FUNDING)].tolist()
    return [
        Payment(key, row[EXCHANGE_NS], row[FUNDING_PPB], row[FUNDING_MARK_DOUBLED], listing.tick, listing.lot)
        for row in rows
        if row[TAPE_MARKET] in keys
        for key, listing in [keys[row[TAPE_MARKET]]]
    ]


def funding_of(
    orders: Iterable[Told],
    before: Mapping[MarketKey, Position],
    payments: Sequence[Payment],
    ahead_ns: Mapping[int, int],
) -> dict[MarketKey, int]:
    """What a run's positions paid, by market, in notional counts.

    Parameters
    ----------
    before: held at the beginning. ahead_ns: of the clock of each venue, where fills carry its own times.
    """
    moves: dict[MarketKey, list[tuple[int, int]]] = {}
    for told in orders:
        key = (told.intent.instrument, told.intent.venue)
        for fill in new_fills(told):
            time_ns = fill.venue_ns - ahead_ns.get(key[1], 0) if fill.venue_ns else fill.receive_ns
            moved = told.intent.side.sign * fill.quantity - fill.fee_base
            moves.setdefault(key, []).append((time_ns, moved))
    total: dict[MarketKey, int] = {}
    for payment in payments:
        held = before.get(payment.key, Position()).quantity
        held += sum(moved for time_ns, moved in moves.get(payment.key, ()) if time_ns <= payment.time_ns)
        total[payment.key] = total.get(payment.key, 0) + payment.amount(held)
    return {key: amount for key, amount in total.items() if amount}
