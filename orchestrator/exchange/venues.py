"""Venues of the simulated exchange, made from settings."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.exchange import SIMULATED, Commission, ExchangeSettings, SimulatedVenueSettings
from config.instruments import InstrumentSettings, MarketSettings
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingInput
from orchestrator.exchange.recordings import earliest_ns, player, recorded_markets
from orchestrator.replay.plan import SourceFile
from sim.exchange.keys import ApiKey, ed25519_key, hmac_key
from sim.exchange.latency import Latency
from sim.exchange.served import ServedVenue
from sim.exchange.venue.kinds import CommissionAsset, MarketKind
from sim.exchange.venue.model import UNITS, AccountModel, BackgroundModel, SymbolModel, VenueModel
from sim.exchange.venue.venue import SimulatedVenue

_KINDS: Final = {VenueName.BINANCE_SPOT: MarketKind.SPOT, VenueName.BINANCE_USDM: MarketKind.USD_MARGINED}
_PPB_PER_BPS: Final = 100_000
_MONEY_DECIMALS: Final = 8
_LOT_DECIMALS_MOST: Final = 5
_BPS: Final = 10_000
_TRADES_PER_LEVEL: Final = 25
"""A level is worth as much as so many market orders of other traders."""
_SPACING: Final = 2
"""Distance of levels in half spreads."""
_INSTRUMENTS_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Chance:
    """What a symbol's traders draw from: one seed per instrument, as its price is one, and a stream per venue."""

    seed: int
    stream: int


def account_keys(settings: ExchangeSettings) -> tuple[ApiKey, ApiKey]:
    """The keys of the account: of HMAC and of Ed25519; the same for the same seed."""
    return hmac_key(settings.account, settings.seed), ed25519_key(settings.account, settings.seed)


def served_venues(
    settings: Settings, start_ns: int, *, first_port: int = 0, recordings: Sequence[SourceFile] = ()
) -> list[ServedVenue]:
    """The venues that the settings ask for.

    Parameters
    ----------
    start_ns: when their markets begin. first_port: of the first venue, the others follow; 0: as the settings say.
    recordings: markets that are played in place of background traders, all as far apart as they were received.

    Raises Fatal when no venue of the profile can be simulated, or one trades nothing; and as ``recorded_markets``.
    """
    wanted = dict(settings.exchange.venues) or {
        name: SimulatedVenueSettings() for name in settings.venues if name in SIMULATED
    }
    if not wanted:
        raise Fatal(f"no venue of the profile can be simulated; expected one of {[str(name) for name in SIMULATED]}")
    recorded = recorded_markets(settings, recordings)
    if not recorded.keys() <= wanted.keys():
        raise MissingInput(
            f"recordings are of {[str(name) for name in recorded]}; the venues are {[str(name) for name in wanted]}"
        )
    first_ns = earliest_ns(recorded)
    keys = account_keys(settings.exchange)
    served: list[ServedVenue] = []
    for place, (name, settled) in enumerate(wanted.items()):
        played = recorded.get(name, {})
        venue = SimulatedVenue(venue_model(settings, name, settled, start_ns, without_traders=played))
        players = tuple(
            player(venue, model, played[model.symbol], start_ns + played[model.symbol].begins_ns() - first_ns)
            for model in venue.model.symbols
            if model.symbol in played
        )
        port = first_port + place if first_port else settled.port
        served.append(
            ServedVenue(name=str(name), venue=venue, keys=keys, latency=_latency(settled), port=port, players=players)
        )
    return served


def venue_model(
    settings: Settings,
    name: VenueName,
    venue: SimulatedVenueSettings,
    start_ns: int,
    *,
    without_traders: Container[str] = (),
) -> VenueModel:
    """One venue with the symbols and fees that the profile states; raises Fatal if it trades nothing.

    Parameters
    ----------
    without_traders: symbols that have no background traders.
    """
    exchange = settings.exchange
    symbols = tuple(
        replace(model, background=None) if model.symbol in without_traders else model
        for model in _symbols(settings, name, venue)
    )
    fees = settings.venues.get(name)
    if not symbols or fees is None:
        raise Fatal(f"exchange.venues.{name} trades nothing: the profile has no instrument on it")
    return VenueModel(
        name=str(name),
        kind=_KINDS[name],
        symbols=symbols,
        accounts=(AccountModel(account=exchange.account, balances=_balances(exchange, symbols, _KINDS[name])),),
        start_ns=start_ns,
        maker_ppb=int(fees.maker_fee_bps * _PPB_PER_BPS),
        taker_ppb=int(fees.taker_fee_bps * _PPB_PER_BPS),
        commission_asset=(
            CommissionAsset.QUOTE if exchange.commission is Commission.QUOTE else CommissionAsset.RECEIVED
        ),
    )


def _symbols(settings: Settings, name: VenueName, venue: SimulatedVenueSettings) -> Iterator[SymbolModel]:
    for number, (base, instrument) in enumerate(settings.instruments.items()):
        if name in instrument.markets:
            chance = _Chance(
                seed=settings.exchange.seed * _INSTRUMENTS_MOST + number, stream=list(VenueName).index(name) + 1
            )
            yield _symbol(settings.exchange, base, instrument, instrument.markets[name], venue, chance)


def _symbol(
    exchange: ExchangeSettings,
    base: str,
    instrument: InstrumentSettings,
    market: MarketSettings,
    venue: SimulatedVenueSettings,
    chance: _Chance,
) -> SymbolModel:
    quote = market.symbol.removeprefix(base)
    if not quote or quote == market.symbol:
        raise Fatal(f"{market.symbol}: cannot tell its quote asset; expected the instrument's name, {base}, and it")
    lot_decimals = min(market.quantity_decimals, _LOT_DECIMALS_MOST, _MONEY_DECIMALS - market.price_decimals)
    tick, lot = Decimal(1).scaleb(-market.price_decimals), Decimal(1).scaleb(-lot_decimals)
    price = instrument.reference_price
    half_spread = max(1, int(price * exchange.half_spread_bps / _BPS / tick))
    level_lots = max(1, int(exchange.level_quote / price / lot))
    background = BackgroundModel(
        seed=chance.seed,
        stream=chance.stream,
        levels=exchange.levels,
        spacing_ticks=half_spread * _SPACING,
        level_lots=level_lots,
        half_spread_ticks=half_spread,
        trades_per_minute=exchange.trades_per_minute,
        trade_lots=max(1, level_lots // _TRADES_PER_LEVEL),
        lag_ns=venue.lag_ms * 10**6,
        basis_bps=venue.basis_bps,
    )
    return SymbolModel.of(
        market.symbol, base, quote, tick=str(tick), lot=str(lot), price=str(price), background=background
    )


def _balances(exchange: ExchangeSettings, symbols: tuple[SymbolModel, ...], kind: MarketKind) -> dict[str, int]:
    balances = {model.quote_asset: UNITS.count(exchange.quote_balance) for model in symbols}
    if kind is MarketKind.SPOT:
        balances |= {model.base_asset: UNITS.count(exchange.base_balance) for model in symbols}
    return balances


def _latency(venue: SimulatedVenueSettings) -> Latency:
    return Latency(
        request_ns=venue.request_us * 10**3, answer_ns=venue.answer_us * 10**3, publish_ns=venue.publish_us * 10**3
    )
