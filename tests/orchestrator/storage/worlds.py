"""Orders, records and markets for the tests of storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.events import Acknowledged, Cancelled, Filled, OrderEvent, OutcomeUnknown, Sent
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.order import Fill, OrderIntent
from orchestrator.storage.records import EventWritten, IntentWritten, JournalRecord, Market, SessionStarted

T: Final = 1_700_000_000_000_000_000
S: Final = 1_000_000_000
MS: Final = 1_000_000
BTC: Final = Instrument(0, "BTC", Scale(-2), Scale(-5))
ETH: Final = Instrument(1, "ETH", Scale(-2), Scale(-4))


def listing(instrument: Instrument, venue: int) -> Listing:
    name = ("binance-spot", "binance-usdm")[venue]
    return Listing(instrument, venue, name, f"{instrument.name}USDT", tick=1, lot=1, quote_asset="USDT")


CATALOGUE: Final = Catalogue([listing(BTC, 0), listing(BTC, 1), listing(ETH, 0)])
MARKETS: Final = tuple(
    Market(
        instrument=made.instrument.number, venue=made.venue, instrument_name=made.instrument.name,
        venue_name=made.venue_name, symbol=made.symbol, price_exponent=made.instrument.price_scale.exponent,
        quantity_exponent=made.instrument.quantity_scale.exponent,
    )
    for made in CATALOGUE.listings
)  # fmt: skip


def intent(number: int = 1, *, side: Side = Side.BUY, quantity: int = 1_000, price: int = 6_000_000, venue: int = 0,
           instrument: int = 0, tag: str = "arb", epoch: int = 1, origin: Origin = Origin.DECISION, leg: int = 0,
           decided_ns: int = T, why: str = "") -> OrderIntent:  # fmt: skip
    return OrderIntent(
        cause=Cause(strategy=tag, origin=origin, epoch=epoch, number=number, leg=leg),
        decided_ns=decided_ns,
        instrument=instrument,
        venue=venue,
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=quantity,
        limit_price=price,
        why=why,
    )


def sent(time_ns: int = T) -> Sent:
    return Sent(time_ns=time_ns)


def opened(time_ns: int = T, venue_order_id: str = "7") -> Acknowledged:
    return Acknowledged(time_ns=time_ns, venue_order_id=venue_order_id)


def cancelled(time_ns: int = T) -> Cancelled:
    return Cancelled(time_ns=time_ns, reason="asked")


def unknown(time_ns: int = T) -> OutcomeUnknown:
    return OutcomeUnknown(time_ns=time_ns, reason="no answer")


def fill(quantity: int = 1_000, price: int = 6_000_000, *, fill_id: str = "1", fee: int = 0, fee_base: int = 0,
         time_ns: int = T) -> Filled:  # fmt: skip
    return Filled(
        fill=Fill(
            fill_id=fill_id,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_base=fee_base,
            liquidity=Liquidity.TAKER,
            venue_ns=time_ns - MS,
            receive_ns=time_ns,
        )
    )


def order_records(wanted: OrderIntent, events: Sequence[OrderEvent]) -> list[JournalRecord]:
    written = [EventWritten(client_order_id=wanted.client_order_id, event=event) for event in events]
    return [IntentWritten(intent=wanted), *written]


def started(session: int = 1, epoch: int = 1, *, crashed: int = 0, time_ns: int = T) -> SessionStarted:
    return SessionStarted(session=session, epoch=epoch, mode="paper", time_ns=time_ns, markets=MARKETS, crashed=crashed)
