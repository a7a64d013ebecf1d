"""A whole run in virtual time: simulated venues, the lines to them, feed, fast loop, strategies, risk and gateway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from market.fastpath.engine import CpuEngine
from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument
from market.protocols import Journal, PreTradeCheck, Strategy
from orchestrator.engine.tables import control_messages, engine_sizes, instrument_numbers, venue_numbers
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.run_loop.access import PeriodicTask
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from sim.exchange.venue.model import VenueModel
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.fate import Faults
from sim.faults.plan import FaultPlan
from sim.feed.venue_feed import FeedModel, VenueFeed
from sim.gateway.venue_gateway import VenueAccess, VenueGateway
from sim.gateway.venue_session import SessionModel
from sim.replay.feed import Route
from sim.virtual.clock import VirtualClock
from sim.virtual.line import LineModel, VenueLine
from sim.virtual.market_of import listing_of

_FIRST_TABLE = 2
_HEARTBEATS_PER_LEASE = 10
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class VirtualVenue:
    """A venue of a virtual run.

    Parameters
    ----------
    model: its symbols must be those of the settings' markets on it, or more. account: ours.
    line: the way to it.
    """

    name: VenueName
    model: VenueModel
    account: str
    line: LineModel = field(default_factory=LineModel)


@dataclass(frozen=True, kw_only=True)
class VirtualRunModel:
    """What runs.

    Parameters
    ----------
    start_ns: time of the first connection. duration_ns: until the feed ends.
    faults: times count from the start.
    """

    settings: Settings
    venues: tuple[VirtualVenue, ...]
    start_ns: int
    duration_ns: int
    faults: FaultPlan = field(default_factory=FaultPlan)
    feed: FeedModel = field(default_factory=FeedModel)
    session: SessionModel = field(default_factory=SessionModel)


class VirtualRun:
    """The parts of a run, connected; ``loop`` takes strategies, ``run`` is for once.

    Members
    -------
    clock, lines (by venue), catalogue, feed, gateway, risk: the parts.
    """

    def __init__(self, model: VirtualRunModel) -> None:
        self.model = model
        self.clock = VirtualClock(model.start_ns)
        self.faults = Faults(model.faults, model.start_ns)
        self.lines = {
            venue.name: VenueLine(venue.name.value, SimulatedVenue(venue.model), self.clock, self.faults, venue.line)
            for venue in model.venues
        }
        self.catalogue = _catalogue(model)
        self.feed = VenueFeed(
            [(self.lines[venue.name], _routes(model, venue)) for venue in model.venues],
            self.clock,
            model.feed,
            model.start_ns + model.duration_ns,
        )
        numbers = venue_numbers(model.settings)
        accesses = [VenueAccess(numbers[venue.name], self.lines[venue.name], venue.account) for venue in model.venues]
        self.gateway = VenueGateway(accesses, self.catalogue, self.clock, model.session)
        self.risk: Risk = assemble_risk(model.settings, self.catalogue, self.gateway, self.clock)

    def run(
        self,
        strategies: Sequence[Strategy],
        *,
        journal: Journal | None = None,
        checks: Sequence[PreTradeCheck] = (),
        periodic: Sequence[PeriodicTask] = (),
    ) -> RunSummary:
        """Start everything and run to the end of the feed; ``checks`` are asked after all rules of risk."""
        settings = self.model.settings
        loop = RunLoop(
            feed=self.feed,
            clock=self.clock,
            gateway=self.risk.gateway,
            engine=CpuEngine(engine_sizes(settings)),
            catalogue=self.catalogue,
            strategies=[*self.risk.strategies, *strategies],
            settings=RunSettings(
                tuple(control_messages(settings, first_sequence=_FIRST_TABLE)),
                heartbeat_every_ns=settings.engine.lease_ms * _NS_PER_MS // _HEARTBEATS_PER_LEASE,
            ),
            checks=[*self.risk.checks, *checks],
            journal=journal,
            periodic=[*self.risk.tasks, *periodic],
            listeners=self.risk.listeners,
        )
        for line in self.lines.values():
            line.start()
        self.feed.start()
        self.gateway.start()
        return loop.run()


def _catalogue(model: VirtualRunModel) -> Catalogue:
    """The settings' markets on the venues, with the venues' own steps and limits; raises Fatal for one that is not."""
    numbers, venues = instrument_numbers(model.settings), venue_numbers(model.settings)
    listings = []
    for name, settings in model.settings.instruments.items():
        instrument = Instrument(numbers[name], name, Scale(settings.price_exponent), Scale(settings.quantity_exponent))
        for venue in model.venues:
            if venue.name in settings.markets:
                symbol = settings.markets[venue.name].symbol
                found = [candidate for candidate in venue.model.symbols if candidate.symbol == symbol]
                if not found:
                    raise Fatal(f"{name} is {symbol} on {venue.name}; expected a symbol that the venue trades")
                listings.append(listing_of(instrument, venues[venue.name], venue.name.value, found[0]))
    return Catalogue(listings)


def _routes(model: VirtualRunModel, venue: VirtualVenue) -> list[Route | None]:
    """Where each symbol of a venue goes in the fast loop."""
    numbers, venues = instrument_numbers(model.settings), venue_numbers(model.settings)
    routes: dict[str, Route] = {}
    for name, settings in model.settings.instruments.items():
        market = settings.markets.get(venue.name)
        if market is not None:
            exponents = (market.message_price_exponent, market.message_quantity_exponent)
            routes[market.symbol] = Route(numbers[name], venues[venue.name], *exponents)
    return [routes.get(symbol.symbol) for symbol in venue.model.symbols]
