"""Limits as integers: what the settings allow, in the counts of each listing and of the capital.

Notional counts of different instruments are of different scales and perhaps of different currencies. Sums over
instruments are made in capital counts, ``10**CAPITAL_EXPONENT`` of the capital's currency, into which every notional
count converts exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.base import EXACT
from config.instruments import InstrumentSettings
from config.risk import InstrumentRiskSettings, RiskSettings, VenueRiskSettings
from config.settings import Settings
from config.venues import VenueName
from market.errors import Rejected
from market.fixed_point import COUNT_MOST
from market.instruments import Catalogue, Listing
from market.protocols import MarketKey

CAPITAL_EXPONENT: Final = -60
"""Notional counts have at least 10^-36, worths of currencies at most 24 digits."""
MARGIN_VENUES: Final = frozenset(
    {
        VenueName.BINANCE_USDM,
        VenueName.BINANCE_CM,
        VenueName.BYBIT,
        VenueName.COINBASE_DERIVATIVES,
        VenueName.DERIBIT,
        VenueName.OKX,
        VenueName.STARBASE,
    }
)
"""Venues of derivatives: orders bind margin, and what is held are positions."""
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class MarketLimits:
    """Limits of one listing, in counts of its instrument.

    Parameters
    ----------
    order_notional: largest notional of one order. position: largest position and pending quantity, long or short.
    price_low, price_high: absolute bounds of prices.
    maximum_age_ns, maximum_silence_ns: of its quote, and of its venue.
    taker_fee_ppb: fee of taking liquidity. is_margin: whether orders bind margin instead of what they trade.
    book_tick, book_lot: counts of one tick and lot of its book.
    """

    listing: Listing
    quantity: int
    order_notional: int
    position: int
    price_low: int
    price_high: int
    maximum_age_ns: int
    maximum_silence_ns: int
    taker_fee_ppb: int
    is_margin: bool
    book_tick: int
    book_lot: int

    @property
    def key(self) -> MarketKey:
        """Instrument and venue number."""
        return self.listing.instrument.number, self.listing.venue


@dataclass(frozen=True, slots=True)
class InstrumentLimits:
    """Limits of an instrument over all its venues.

    Parameters
    ----------
    exposure: largest worst-case worth, in capital counts. worth: capital counts of one notional count.
    minimum_liquidity: least worth of both sides of a book, in capital counts.
    """

    exposure: int
    worth: int
    minimum_liquidity: int


@dataclass(frozen=True)
class RiskLimits:
    """All limits of a run.

    Parameters
    ----------
    capital, exposure: in capital counts. leverage_ppm: millionths.
    messages_per_s: by venue number.
    """

    settings: RiskSettings
    markets: Mapping[MarketKey, MarketLimits]
    instruments: Mapping[int, InstrumentLimits]
    messages_per_s: Mapping[int, int]
    capital: int
    exposure: int
    leverage_ppm: int

    def market(self, key: MarketKey) -> MarketLimits:
        """The limits of a market; raises Rejected for one that has none."""
        found = self.markets.get(key)
        if found is None:
            raise Rejected(f"no limits are set for instrument {key[0]} on venue {key[1]}; expected one that is listed")
        return found


def risk_limits(settings: Settings, catalogue: Catalogue) -> RiskLimits:
    """The limits that settings state for the listings of a catalogue."""
    risk = settings.risk
    instruments = {
        listing.instrument.number: _instrument_limits(listing, risk, _of_instrument(risk, listing.instrument.name))
        for listing in catalogue.listings
    }
    return RiskLimits(
        settings=risk,
        markets={
            (listing.instrument.number, listing.venue): _market_limits(listing, settings)
            for listing in catalogue.listings
        },
        instruments=instruments,
        messages_per_s={listing.venue: _messages_per_s(listing, risk) for listing in catalogue.listings},
        capital=capital_counts(risk.limits.capital_quote),
        exposure=capital_counts(risk.limits.maximum_exposure_quote),
        leverage_ppm=int(risk.limits.maximum_leverage.scaleb(6, EXACT)),
    )


def capital_counts(amount: Decimal) -> int:
    """Capital counts of an amount of the capital's currency."""
    return int(amount.scaleb(-CAPITAL_EXPONENT, EXACT))


def capital_amount(counts: int) -> Decimal:
    """The amount that capital counts stand for, to 12 digits after the point, rounded down."""
    return Decimal(counts // 10 ** (-CAPITAL_EXPONENT - 12)).scaleb(-12, EXACT)


def notional_counts(amount: Decimal, listing: Listing) -> int:
    """Notional counts of an amount of the quote currency, rounded down."""
    return int(amount.scaleb(-listing.instrument.notional_exponent, EXACT))


def _of_instrument(risk: RiskSettings, name: str) -> InstrumentRiskSettings:
    return risk.instruments.get(name, InstrumentRiskSettings())


def _instrument_limits(listing: Listing, risk: RiskSettings, own: InstrumentRiskSettings) -> InstrumentLimits:
    exponent = listing.instrument.notional_exponent - CAPITAL_EXPONENT
    return InstrumentLimits(
        exposure=capital_counts(own.maximum_exposure_quote or risk.limits.maximum_instrument_exposure_quote),
        worth=int(own.quote_worth.scaleb(exponent, EXACT)),
        minimum_liquidity=capital_counts(own.minimum_liquidity_quote or risk.guards.minimum_liquidity_quote),
    )


def _market_limits(listing: Listing, settings: Settings) -> MarketLimits:
    traded = settings.instruments[listing.instrument.name]
    name = VenueName(listing.venue_name)
    venue = settings.venues[name]
    own = _of_instrument(settings.risk, listing.instrument.name)
    notional = own.maximum_order_notional_quote or settings.risk.limits.maximum_order_notional_quote
    return MarketLimits(
        listing=listing,
        quantity=min(_quantity(listing, traded.maximum_quantity), listing.maximum_quantity),
        order_notional=min(notional_counts(notional, listing), notional_counts(traded.maximum_notional_quote, listing)),
        position=_quantity(listing, traded.position_limit),
        price_low=_prices(listing, traded)[0],
        price_high=_prices(listing, traded)[1],
        maximum_age_ns=venue.maximum_age_ms * _NS_PER_MS,
        maximum_silence_ns=venue.maximum_silence_ms * _NS_PER_MS,
        taker_fee_ppb=int(venue.taker_fee_bps.scaleb(5, EXACT).to_integral_value(rounding="ROUND_CEILING")),
        is_margin=listing.venue_name in MARGIN_VENUES,
        book_tick=int(10 ** (-traded.markets[name].price_decimals - traded.price_exponent)),
        book_lot=int(10 ** (-traded.markets[name].quantity_decimals - traded.quantity_exponent)),
    )


def _quantity(listing: Listing, quantity: Decimal) -> int:
    return int(quantity.scaleb(-listing.instrument.quantity_scale.exponent, EXACT))


def _prices(listing: Listing, traded: InstrumentSettings) -> tuple[int, int]:
    """The bounds of prices in counts, inwards."""
    exponent = -listing.instrument.price_scale.exponent
    low = traded.price_low.scaleb(exponent, EXACT).to_integral_value(rounding="ROUND_CEILING")
    return int(low), min(int(traded.price_high.scaleb(exponent, EXACT)), COUNT_MOST)


def _messages_per_s(listing: Listing, risk: RiskSettings) -> int:
    own = risk.venues.get(VenueName(listing.venue_name))
    return (own or VenueRiskSettings(messages_per_s=risk.limits.messages_per_s)).messages_per_s
