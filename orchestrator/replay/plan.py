"""From settings and files to a session of the replay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from config.replay import Settle
from config.settings import Settings
from config.venues import VenueName
from market.errors import MissingInput
from market.wire.markets import Market
from market.wire.venues import VENUES
from orchestrator.engine.tables import (
    NS_PER_MS,
    control_messages,
    engine_sizes,
    instrument_numbers,
    venue_numbers,
)
from orchestrator.replay.signal_plan import signal_plan
from sim.recording.recognise import Format, recognise
from sim.replay.arming import FIRST_SEQUENCE
from sim.replay.feed import FeedSettings
from sim.replay.packet_source import packet_source, whole_capture
from sim.replay.session import SessionSettings
from sim.replay.source import Route, SourceSettings

NS_PER_S: Final = 1_000_000_000
HEARTBEATS_PER_LEASE: Final = 4
"""A heartbeat may be lost three times before the lease ends."""


@dataclass(frozen=True)
class SourceFile:
    """One ``--source NAME=FILE``."""

    venue: VenueName
    path: Path


def parse_source(text: str, option: str = "--source") -> SourceFile:
    """``NAME=FILE`` as a venue and a path; raises UsageError naming the option and what is wrong."""
    name, separator, path = text.partition("=")
    known = ", ".join(venue.value for venue in VenueName)
    if not separator or not path:
        raise click.UsageError(f"{option} was {text!r}: must be NAME=FILE, NAME one of {known}")
    if name not in set(VenueName):
        raise click.UsageError(f"{option} {text}: {name!r} is no venue: must be one of {known}")
    return SourceFile(VenueName(name), Path(path))


def session_settings(
    settings: Settings,
    files: list[SourceFile],
    *,
    lags_ns: dict[VenueName, int] | None = None,
    keep_quotes: bool = False,
    keep_changes: bool = False,
    keep_signals: bool = False,
) -> SessionSettings:
    """What to replay and how, as the settings say.

    Parameters
    ----------
    lags_ns: added to the receive times of a venue.
    keep_signals: whether to sample the market signals, if the settings ask for any.

    Raises MissingInput for a file that cannot be read or holds something else, Fatal for a venue that the
    settings do not list.
    """
    replay = settings.replay
    return SessionSettings(
        sources=tuple(_source(settings, file, (lags_ns or {}).get(file.venue, 0)) for file in files),
        tables=tuple(control_messages(settings, first_sequence=FIRST_SEQUENCE + 1)),
        sizes=engine_sizes(settings),
        settle_after_ns=replay.settle_after_ms * NS_PER_MS,
        filled=replay.settle is Settle.FILLED,
        heartbeat_every_ns=settings.engine.lease_ms * NS_PER_MS // HEARTBEATS_PER_LEASE,
        workers=replay.workers,
        keep_quotes=keep_quotes,
        keep_changes=keep_changes,
        signals=signal_plan(settings) if keep_signals else None,
    )


def _source(settings: Settings, file: SourceFile, lag_ns: int) -> FeedSettings:
    if recognise(file.path).format in (Format.PCAP, Format.PCAPNG):
        return _capture(settings, file, lag_ns)
    return _lines(settings, file, lag_ns)


def _capture(settings: Settings, file: SourceFile, lag_ns: int) -> FeedSettings:
    """A capture of packets: the markets that the profile trades on the venue, all of the capture if it trades none."""
    trades = any(file.venue in instrument.markets for instrument in settings.instruments.values())
    if not trades:
        return whole_capture(file.venue.value, file.path, lag_ns=lag_ns)
    markets, routes = _markets(settings, file, ())
    return packet_source(file.venue.value, file.path, markets, routes, lag_ns=lag_ns)


def _lines(settings: Settings, file: SourceFile, lag_ns: int) -> SourceSettings:
    if file.venue not in settings.venues:
        listed = ", ".join(venue.value for venue in settings.venues)
        raise click.UsageError(
            f"--source {file.venue.value}: the profile lists no such venue, only {listed}; "
            f"add [venues.{file.venue.value}]"
        )
    venue = VENUES.get(file.venue.value)
    found = recognise(file.path)
    if venue is None or found.format not in (Format.RAW_LINES, Format.FEED_CAPTURE):
        raise MissingInput(
            f"{file.path} holds {found.format.value}: replay of {file.venue.value} needs raw lines "
            "'<receive ns> <json>', a feed capture, or packets of a known multicast; "
            "`tickwire inspect` shows what is in a file"
        )
    markets, routes = _markets(settings, file, found.symbols)
    return SourceSettings(
        name=file.venue.value,
        path=file.path,
        venue=venue,
        is_capture=found.format is Format.FEED_CAPTURE,
        markets=markets,
        routes=routes,
        lag_ns=lag_ns,
        maximum_jump_ns=settings.replay.maximum_jump_s * NS_PER_S,
    )


def _markets(
    settings: Settings, file: SourceFile, symbols: tuple[str, ...]
) -> tuple[tuple[Market, ...], tuple[Route, ...]]:
    """Markets of the file that the profile trades: those seen at its beginning, else all of the venue."""
    venues, instruments = venue_numbers(settings), instrument_numbers(settings)
    markets: list[Market] = []
    routes: list[Route] = []
    listed: list[str] = []
    for name, instrument in settings.instruments.items():
        market = instrument.markets.get(file.venue)
        if market is None:
            continue
        listed.append(market.symbol)
        if symbols and market.symbol not in symbols:
            continue
        value, size = market.contract_value_quote, market.contract_size_base
        markets.append(Market(market.symbol, market.price_decimals, market.quantity_decimals, value, size))
        exponents = (market.message_price_exponent, market.message_quantity_exponent)
        routes.append(Route(instruments[name], venues[file.venue], *exponents))
    if not markets:
        raise MissingInput(
            f"{file.path} holds {', '.join(symbols) or 'no known symbol'}; the profile trades "
            f"{', '.join(listed) or 'nothing'} on {file.venue.value}: add [instruments.NAME.markets.{file.venue.value}]"
        )
    return tuple(markets), tuple(routes)
