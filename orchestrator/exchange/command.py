"""``tickwire exchange``: the simulated exchange on this machine."""

from __future__ import annotations

import asyncio
import signal
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click
from pydantic import ValidationError

from market.errors import MissingInput
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.clock import SystemClock
from orchestrator.exchange.venues import account_keys, served_venues
from orchestrator.replay.plan import parse_source
from sim.exchange.keys import ApiKey
from sim.exchange.served import ServedVenue, VenueAddress
from sim.exchange.server import ExchangeServer
from sim.exchange.venue.kinds import MarketKind
from sim.faults.plan import FaultPlan

_SECONDS: Final = click.FloatRange(min=0, min_open=True)


@click.command()
@profile_option
@click.option("--port", type=click.IntRange(1, 65_000), help="Port of the first venue; the others follow it.")
@click.option("--seconds", type=_SECONDS, help="Stop after so long.")
@click.option(
    "--faults", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of what goes wrong, and when."
)
@click.option(
    "--recording",
    "recordings",
    multiple=True,
    metavar="NAME=FILE",
    help="Play a recording of a venue; may be repeated.",
)
@with_output
def exchange(
    output: Output,
    profile: str,
    port: int | None,
    seconds: float | None,
    faults: Path | None,
    recordings: tuple[str, ...],
) -> None:
    """Simulate an exchange that speaks Binance's protocols, until interrupted.

    Spot and USD-M futures, each on a port of its own: REST, market data in JSON and SBE, the WebSocket API, user data.
    Symbols and fees are those of the profile; see [exchange] in docs/settings.md. The keys that it prints work nowhere
    else. Markets of recordings are played from their beginning; when one is over, its book stays as it is.

    \b
    A file of faults:
    seed = 1
    [[faults]]
    kind = "lost-answer"
    permille = 100
    [[faults]]
    kind = "disconnect"
    at_ns = 10_000_000_000
    """
    settings = load_profile(profile).settings
    plan = read_plan(faults) if faults is not None else None
    clock = SystemClock()
    files = [parse_source(text, "--recording") for text in recordings]
    venues = served_venues(settings, clock.now_ns(), first_port=port or 0, recordings=files)
    server = ExchangeServer(venues, clock.now_ns, plan=plan, host=settings.exchange.host)
    if asyncio.run(_serve(output, server, venues, account_keys(settings.exchange), seconds)):
        raise Interrupted("the exchange is closed; its accounts are gone")


def read_plan(path: Path) -> FaultPlan:
    """The plan of faults in a TOML file; raises MissingInput for one that cannot be read or is wrong."""
    try:
        return FaultPlan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MissingInput(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise MissingInput(f"{path}: {wrong}") from error


async def _serve(
    output: Output, server: ExchangeServer, venues: list[ServedVenue], keys: tuple[ApiKey, ...], seconds: float | None
) -> bool:
    """Serve until the time is over or an interrupt comes; returns whether it came."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    async with server:
        result = {
            "venues": {
                served.name: described(served.venue.model.kind, server.addresses[served.name]) for served in venues
            },
            "symbols": {served.name: [one.symbol for one in served.venue.model.symbols] for served in venues},
            "keys": {str(key.kind): {"key": key.key, "secret": key.secret} for key in keys},
        }
        _show(output, result)
        ends = [asyncio.ensure_future(interrupted.wait()), asyncio.ensure_future(server.ended())]
        done, pending = await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for task in done:
            task.result()
    return interrupted.is_set()


def described(kind: MarketKind, at: VenueAddress) -> dict[str, str]:
    """The addresses of a venue, with the paths that its protocols have."""
    if kind is MarketKind.SPOT:
        return {
            "http": at.http,
            "ws": at.ws,
            "rest": f"{at.http}/api/v3",
            "streams": f"{at.ws}/stream",
            "sbe_streams": f"{at.ws}/sbe/ws",
            "websocket_api": f"{at.ws}/ws-api/v3",
        }
    return {
        "http": at.http,
        "ws": at.ws,
        "rest": f"{at.http}/fapi/v1",
        "streams": f"{at.ws}/fstream/stream",
        "websocket_api": f"{at.ws}/ws-fapi/v1",
    }


def _show(output: Output, result: dict[str, Any]) -> None:
    rows = [
        (name, what.replace("_", " "), url) for name, urls in result["venues"].items() for what, url in urls.items()
    ]
    output.table("Venues", ("venue", "what", "address"), rows)
    output.table("Symbols", ("venue", "symbols"), [(name, ", ".join(of)) for name, of in result["symbols"].items()])
    for kind, key in result["keys"].items():
        output.say(f"\n{kind} key: {key['key']}\nsecret:\n{key['secret']}")
    output.emit(result)
    output.note("interrupt to end")
