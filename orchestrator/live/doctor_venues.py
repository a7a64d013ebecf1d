"""Checks of venues: whether they answer, whether their market data comes, how far their clocks are from ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

from config.feeds import FeedForm
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingExtra, MissingInput, Rejected, Retry
from orchestrator.clock import SystemClock, WakingClock
from orchestrator.feeds.assembly import source_plan, venue_markets
from orchestrator.feeds.ccxt_source import CcxtPlan
from orchestrator.feeds.feed import LiveFeed, SourcePlan
from orchestrator.feeds.health import HealthMetrics, SourceState
from orchestrator.live.addresses import TRADEABLE, VenueAddresses, venue_addresses
from orchestrator.live.findings import Finding, Grade
from orchestrator.live.http_json import fetch_json
from orchestrator.live.network import NetworkThread
from orchestrator.run_loop.intake import Intake

_TIMEOUT_S: Final = 5.0
_LISTEN_S: Final = 15.0
"""A quiet market may take so long to say something."""
_AGES_NS: Final = 3_000_000_000
_LOOK_NS: Final = 20_000_000
_MS: Final = 1_000_000
_SECOND_MS: Final = 1_000
_TIME_SERVICE: Final = "run a time service such as chrony"


def examine_venues(settings: Settings) -> Iterator[Finding]:
    """The clocks of venues that are spoken to directly; the market data of those behind ccxt or datagrams."""
    most_ms = settings.risk.watchdog.maximum_clock_drift_ms
    for venue, described in settings.venues.items():
        if not described.enabled:
            continue
        source = settings.feeds.sources.get(venue)
        elsewhere = source is not None and source.form in (FeedForm.CCXT, FeedForm.UDP)
        if venue in TRADEABLE:
            yield _clock(venue, venue_addresses(settings, venue), most_ms)
        if elsewhere and venue_markets(settings, venue)[0]:
            yield from _market_data(settings, venue, most_ms)


def _clock(venue: VenueName, addresses: VenueAddresses, most_ms: int) -> Finding:
    """Whether a venue can be reached, and how far its clock is from ours: half the round trip is the uncertainty."""
    clock = SystemClock()
    sent_ns = clock.now_ns()
    try:
        stated_ms = int(fetch_json(f"{addresses.http}{addresses.api}/time", timeout_s=_TIMEOUT_S)["serverTime"])
    except (Retry, Rejected, KeyError, ValueError, TypeError) as error:
        return Finding(f"{venue} reachable", Grade.FAILED, str(error), "check the network and venues.*.addresses")
    return _compared(venue, stated_ms, sent_ns, clock.now_ns(), most_ms)


def _market_data(settings: Settings, venue: VenueName, most_ms: int) -> Iterator[Finding]:
    """What a run would receive, received by the same code for a few seconds."""
    try:
        plan = source_plan(settings, venue)
        if isinstance(plan, CcxtPlan):
            yield asyncio.run(_ccxt_clock(venue, plan, most_ms))
        metrics, messages, notes = _listen(plan)
    except (MissingExtra, MissingInput, Fatal, Retry) as problem:
        yield Finding(f"{venue} market data", Grade.FAILED, str(problem), f"see feeds.sources.{venue}")
        return
    yield _heard(venue, metrics, messages, notes, most_ms, settings.risk.guards.maximum_feed_latency_ms)


async def _ccxt_clock(venue: VenueName, plan: CcxtPlan, most_ms: int) -> Finding:
    """How far the clock of a venue behind ccxt is from ours, where it states one."""
    clock, exchange = SystemClock(), plan.make()
    # Once there is one: without the extra, making it says which extra is missing.
    import ccxt

    try:
        if not exchange.has.get("fetchTime"):
            return Finding(
                f"{venue} clock", Grade.WARNING, "it states no time over ccxt", "watch its market data's age"
            )
        sent_ns = clock.now_ns()
        async with asyncio.timeout(_TIMEOUT_S):
            stated = await exchange.fetch_time()
    except (ccxt.BaseError, OSError, TimeoutError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        seen = f"{type(error).__name__}: {error}"
        return Finding(f"{venue} reachable", Grade.FAILED, seen, "check the network and venues.*.addresses")
    finally:
        await exchange.close()
    return _compared(venue, stated, sent_ns, clock.now_ns(), most_ms)


def _compared(venue: VenueName, stated_ms: Any, sent_ns: int, heard_ns: int, most_ms: int) -> Finding:
    """A time that a venue stated between two of ours; half the round trip is the uncertainty, and whole seconds are."""
    if not isinstance(stated_ms, int):
        return Finding(f"{venue} clock", Grade.FAILED, f"it stated {stated_ms!r} as its time", "is it the right venue?")
    trip_ns = heard_ns - sent_ns
    unsure_ms = trip_ns / 2 / _MS + (0 if stated_ms % _SECOND_MS else _SECOND_MS)
    skew_ms = abs(stated_ms * _MS - (sent_ns + trip_ns // 2)) / _MS
    seen = f"{skew_ms:.0f} ms apart, answered in {trip_ns / _MS:.0f} ms"
    if skew_ms - unsure_ms > most_ms:
        return Finding(f"{venue} clock", Grade.FAILED, seen, f"{_TIME_SERVICE}: orders are refused else")
    return Finding(f"{venue} clock", Grade.GOOD, seen)


def _listen(plan: SourcePlan) -> tuple[HealthMetrics, int, list[str]]:
    """Receive until the source is live and its messages' age known, or patience ends.

    Gives its numbers, how many messages were taken, and what it noted.
    """
    clock, notes, errors = WakingClock(), list[str](), list[BaseException]()
    with NetworkThread(errors.append) as network:
        feed = LiveFeed([plan], clock=clock, wake=clock.wake, network=network, note=notes.append)
        intake = Intake(feed)
        feed.start()
        try:
            end_ns = clock.now_ns() + round(_LISTEN_S * 1e9)
            while clock.now_ns() < end_ns and not errors:
                while intake.next(clock.now_ns()) >= 0:
                    pass
                metrics = feed.metrics()[0]
                if metrics.state is SourceState.LIVE and feed.accounts()[0].taken:
                    # Ages are known from whole seconds; there may be none.
                    end_ns = min(end_ns, clock.now_ns() + _AGES_NS)
                    if metrics.latency_mean_ns is not None:
                        break
                clock.wait_until(clock.now_ns() + _LOOK_NS)
            metrics, messages = feed.metrics()[0], feed.accounts()[0].taken
        finally:
            feed.close()
    if errors:
        raise errors[0]
    return metrics, messages, notes


def _heard(
    venue: VenueName, metrics: HealthMetrics, messages: int, notes: list[str], most_ms: int, late_ms: int
) -> Finding:
    check, state = f"{venue} market data", metrics.state.name.lower()
    if not messages:
        told = f": {notes[-1]}" if notes else ""
        seen = f"nothing came in {_LISTEN_S:g} s ({state}){told}"
        return Finding(check, Grade.FAILED, seen, f"check the network and feeds.sources.{venue}")
    seen = f"{messages} messages, {metrics.rejected} refused, {state}"
    if metrics.latency_mean_ns is None:
        return Finding(check, _grade(metrics), f"{seen}; they state no times", "see what it notes in `tickwire paper`")
    age_ms = metrics.latency_mean_ns / _MS
    seen += f", {age_ms:.0f} ms old"
    if age_ms < -most_ms:
        return Finding(check, Grade.FAILED, seen, f"the clock here is behind the venue's: {_TIME_SERVICE}")
    if age_ms > late_ms:
        return Finding(check, Grade.WARNING, seen, f"late, or the clock here is ahead: {_TIME_SERVICE}")
    return Finding(check, _grade(metrics), seen, "see what it notes in `tickwire paper`")


def _grade(metrics: HealthMetrics) -> Grade:
    return Grade.GOOD if metrics.state is SourceState.LIVE else Grade.WARNING
