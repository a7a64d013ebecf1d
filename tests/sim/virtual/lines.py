"""One venue without background traders at the end of a line, in virtual time."""

from __future__ import annotations

from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument
from market.orders.kinds import Side
from sim.exchange.venue.kinds import CommissionAsset, MarketKind
from sim.exchange.venue.model import UNIT, AccountModel, SymbolModel, VenueModel
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.fate import Faults
from sim.faults.plan import LONGEST_NS, Channel, Fault, FaultKind, FaultPlan
from sim.virtual.clock import VirtualClock
from sim.virtual.line import LineModel, VenueLine
from sim.virtual.market_of import listing_of

START_NS = 1_767_225_600_000_000_000
MS = 1_000_000
SECOND_NS = 1_000_000_000
SYMBOL = "BTCUSDT"
BTC = Instrument(0, "BTC", Scale(-9), Scale(-9))
MODEL = SymbolModel.of(SYMBOL, "BTC", "USDT", tick="0.01", lot="0.00001", price="100")
CATALOGUE = Catalogue([listing_of(BTC, 0, "binance-spot", MODEL)])


def line(*faults: Fault, kind: MarketKind = MarketKind.SPOT) -> VenueLine:
    """A venue 1 ms away; 0.5 BTC are bid for at 99.99, as many offered at 100.01."""
    coins = {"BTC": UNIT} if kind is MarketKind.SPOT else {}
    venue = SimulatedVenue(
        VenueModel(
            name="binance-spot",
            kind=kind,
            symbols=(MODEL,),
            accounts=(AccountModel(account="desk", balances={**coins, "USDT": 1_000 * UNIT}),),
            start_ns=START_NS,
            maker_ppb=0,
            taker_ppb=1_000_000,
            commission_asset=CommissionAsset.QUOTE,
        )
    )
    venue.inject(SYMBOL, Side.BUY, 9_999, 50_000, START_NS)
    venue.inject(SYMBOL, Side.SELL, 10_001, 50_000, START_NS)
    venue.take_events()
    made = VenueLine(
        "binance-spot", venue, VirtualClock(START_NS), Faults(FaultPlan(faults=faults), START_NS), LineModel()
    )
    made.start()
    return made


def fault(
    kind: FaultKind,
    channel: Channel | None = None,
    *,
    at_ns: int = 0,
    duration_ns: int = LONGEST_NS,
    amount_ns: int = 0,
    count: int = 0,
) -> Fault:
    """A fault that strikes every time."""
    return Fault(kind=kind, channel=channel, at_ns=at_ns, duration_ns=duration_ns, amount_ns=amount_ns, count=count)


def pass_until(clock: VirtualClock, after_ms: float) -> None:
    """Let time pass until so long after the start, whatever arrives."""
    end_ns = START_NS + round(after_ms * MS)
    while clock.wait_until(end_ns) < end_ns:
        pass
