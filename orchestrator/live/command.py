"""``tickwire live`` and ``tickwire paper``: the run loop over live market data."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import click

from config.credentials import Credentials, read_credentials
from config.execution import Mode
from config.loading import Loaded
from config.settings import Settings
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import environment, load_profile, profile_option
from orchestrator.live.feeds import described, traded_venues
from orchestrator.live.permission import check_intended, check_permission, only_simulated
from orchestrator.live.result import run_result, show_result
from orchestrator.live.session import LiveSession, RunPlan, live_session

_seconds = click.option(
    "--seconds", type=click.FloatRange(0.1), help="Length of the run.  [default: until interrupted]"
)
_tape = click.option(
    "--tape", type=click.Path(path_type=Path, dir_okay=False), help="Keep the run on this file, to run it again from."
)


@click.command()
@profile_option
@_seconds
@_tape
@click.option("--leave-orders", is_flag=True, help="Let orders go on working after the end.")
@click.option("--i-understand-the-risk", "understood", is_flag=True, help="Needed where orders cost real money.")
@with_output
def live(
    output: Output, profile: str, seconds: float | None, tape: Path | None, leave_orders: bool, understood: bool
) -> None:
    """Trade: live market data, real orders. An interrupt ends the run in order: orders are cancelled first.

    Needs BINANCE_API_KEY and BINANCE_API_SECRET in the environment or in .env, limits that the profile states, and a
    confirmation; venues that [venues.NAME.addresses] places on this machine are simulated and need no confirmation.
    """
    loaded = load_profile(profile)
    credentials = read_credentials(environment())
    check_permission(loaded, credentials, understood=understood)

    def reread() -> Settings:
        again = load_profile(profile)
        if not only_simulated(again.settings):
            check_intended(again.origins, understood=understood)
        return again.settings

    plan = RunPlan(mode=Mode.LIVE, seconds=seconds, tape=tape, leaves_orders=leave_orders, reread=reread)
    _run(output, loaded, credentials, plan)


@click.command()
@profile_option
@_seconds
@_tape
@with_output
def paper(output: Output, profile: str, seconds: float | None, tape: Path | None) -> None:
    """Trade on paper: live market data, fills simulated against it.

    Needs no keys, but for market data over SBE: BINANCE_SBE_API_KEY in the environment or in .env.
    """
    loaded = load_profile(profile)
    reread = partial(_settings, profile)
    credentials = Credentials(binance_sbe_api_key=read_credentials(environment()).binance_sbe_api_key)
    _run(output, loaded, credentials, RunPlan(mode=Mode.PAPER, seconds=seconds, tape=tape, reread=reread))


def _settings(profile: str) -> Settings:
    return load_profile(profile).settings


def _run(output: Output, loaded: Loaded, credentials: Credentials, plan: RunPlan) -> None:
    settings = loaded.settings
    _announce(output, settings, plan)
    with live_session(settings, credentials, plan, output.note) as session, _ended_by_signals(session, output):
        summary = session.run()
        result = run_result(session, summary)
    show_result(output, result)
    output.emit(result)


def _announce(output: Output, settings: Settings, plan: RunPlan) -> None:
    """What is armed, before anything is sent."""
    limits, loss = settings.risk.limits, settings.risk.loss
    active = ", ".join(settings.strategies.active) or "no strategy"
    output.note(f"{plan.mode.value}: {active}; engine {settings.engine.back_end.value}")
    for venue in traded_venues(settings, plan.mode):
        output.note(f"  {described(settings, venue, plan.mode)}")
    output.note(
        f"  at most {limits.maximum_order_notional_quote} per order, {limits.maximum_exposure_quote} in all, "
        f"stops after a loss of {loss.maximum_loss_quote}"
    )


@contextmanager
def _ended_by_signals(session: LiveSession, output: Output) -> Iterator[None]:
    """The first interrupt or request to terminate ends the run in order; the second one ends it at once."""

    def end(number: int, frame: FrameType | None) -> None:
        if session.ending.reason:
            raise KeyboardInterrupt
        output.note("ending: working orders are cancelled; interrupt again to leave at once")
        session.stop(f"told to by {signal.Signals(number).name}")

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
