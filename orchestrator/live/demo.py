"""The live loop shown on this machine: two simulated venues, orders through CCXT, and the profit at the end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from config.addresses import AddressSettings
from config.credentials import Credentials
from config.execution import Mode
from config.settings import Settings
from config.venues import VenueName
from orchestrator.cli.output import Output
from orchestrator.clock import WakingClock
from orchestrator.exchange.venues import account_keys, served_venues
from orchestrator.live.network import NetworkThread
from orchestrator.live.result import run_result, show_result
from orchestrator.live.session import RunPlan, live_session
from sim.exchange.server import ExchangeServer

PROFILE: Final = "simulated"
_PATIENCE_S: Final = 30.0


def show_live_loop(output: Output, settings: Settings, seconds: float) -> dict[str, object]:
    """Serve the venues of the settings, trade on them for so long, and show what came of it; returns the result.

    Nothing is left behind: journal and database are in a temporary folder, ports are any free ones.
    """
    clock, errors = WakingClock(), list[BaseException]()
    served = served_venues(_anywhere(settings), clock.now_ns())
    key = account_keys(settings.exchange)[0]
    keys = Credentials(binance_api_key=SecretStr(key.key), binance_api_secret=SecretStr(key.secret))
    with tempfile.TemporaryDirectory() as folder, NetworkThread(errors.append) as network:
        server = ExchangeServer(served, clock.now_ns)
        network.call(server.__aenter__(), _PATIENCE_S)
        try:
            at = {VenueName(name): address.http for name, address in server.addresses.items()}
            chosen = _pointed(settings, at, Path(folder))
            places = ", ".join(f"{name} at {address}" for name, address in at.items())
            output.note(f"trading for {seconds:g} s between simulated venues: {places}")
            plan = RunPlan(mode=Mode.LIVE, seconds=seconds)
            with live_session(chosen, keys, plan, output.note) as session:
                result = run_result(session, session.run())
        finally:
            network.call(server.__aexit__(None, None, None), _PATIENCE_S)
    if errors:
        raise errors[0]
    show_result(output, result)
    return result


def _anywhere(settings: Settings) -> Settings:
    """The same venues on any free ports."""
    venues = {name: venue.model_copy(update={"port": 0}) for name, venue in settings.exchange.venues.items()}
    return settings.model_copy(update={"exchange": settings.exchange.model_copy(update={"venues": venues})})


def _pointed(settings: Settings, http: dict[VenueName, str], folder: Path) -> Settings:
    """The settings of a run against venues at some addresses, that leaves its traces in a folder."""
    venues = {
        name: venue.model_copy(update={"addresses": AddressSettings(http=http[name])}) if name in http else venue
        for name, venue in settings.venues.items()
    }
    traces = {"journal": folder / "journal", "database_url": f"sqlite:///{folder}/tickwire.db"}
    return settings.model_copy(
        update={
            "venues": venues,
            "storage": settings.storage.model_copy(update=traces),
            "bus": settings.bus.model_copy(update={"enabled": False}),
        }
    )
