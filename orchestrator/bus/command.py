"""``tickwire status``, ``halt``, ``resume``, ``reload``, ``close-all``, ``orders``, ``positions``: a run over its bus.

Exit codes: 0 the run did it; 3 the run refused; 4 no run answered in time, or the extra ``live`` is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import click
import msgspec

from orchestrator.bus.client import BusClient
from orchestrator.bus.messages import RunStatus
from orchestrator.bus.records import OrderRecord, PositionRecord
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import load_profile, profile_option
from orchestrator.clock import SystemClock

_NS_PER_S: Final = 1_000_000_000
_ORDER_COLUMNS: Final = ("id", "venue", "symbol", "side", "type", "price", "quantity", "filled", "status")
_POSITION_COLUMNS: Final = ("venue", "symbol", "quantity", "average", "mark", "realised", "unrealised", "fees")

reason_option = click.option("--reason", default="", help="Why: shown by status, and kept.")


@click.command()
@profile_option
@with_output
def status(output: Output, profile: str) -> None:
    """Show how a run is: whether it trades, and if not, why."""
    with _client(profile) as client:
        found = client.status()
    output.emit(_json(found))
    for line in _status_lines(found):
        output.say(line)


@click.command()
@profile_option
@reason_option
@with_output
def halt(output: Output, profile: str, reason: str) -> None:
    """Halt a run: nothing more is sent, working orders are cancelled, positions stay."""
    with _client(profile) as client:
        _tell(output, client.halt(reason))


@click.command()
@profile_option
@with_output
def resume(output: Output, profile: str) -> None:
    """Let a run trade on after a halt, or a pause that waits for a person."""
    with _client(profile) as client:
        _tell(output, client.resume())


@click.command()
@profile_option
@with_output
def reload(output: Output, profile: str) -> None:
    """Have a run read its profile again: thresholds and limits change at once, or not at all."""
    with _client(profile) as client:
        _tell(output, client.reload())


@click.command("close-all")
@profile_option
@reason_option
@with_output
def close_all(output: Output, profile: str, reason: str) -> None:
    """Halt a run, cancel its working orders and close all its positions at the market."""
    with _client(profile) as client:
        _tell(output, client.close_all(reason))


@click.command()
@profile_option
@click.option("--symbol", help="Only orders of this symbol.")
@with_output
def orders(output: Output, profile: str, symbol: str | None) -> None:
    """List the working orders of a run."""
    with _client(profile) as client:
        found = client.orders(symbol)
    output.emit({"orders": [_json(order) for order in found]})
    output.table("", _ORDER_COLUMNS, [_order_row(order) for order in found], right=("price", "quantity", "filled"))


@click.command()
@profile_option
@with_output
def positions(output: Output, profile: str) -> None:
    """List what a run holds."""
    with _client(profile) as client:
        found = client.positions()
    output.emit({"positions": [_json(position) for position in found]})
    output.table("", _POSITION_COLUMNS, [_position_row(position) for position in found], right=_POSITION_COLUMNS[2:])


@contextmanager
def _client(profile: str) -> Iterator[BusClient]:
    clock = SystemClock()
    settings = load_profile(profile).settings.bus
    with BusClient(settings, f"cli-{os.getpid()}-{clock.now_ns()}", clock) as client:
        yield client


def _tell(output: Output, text: str) -> None:
    output.emit({"message": text})
    output.say(text)


def _json(record: RunStatus | OrderRecord | PositionRecord) -> Mapping[str, Any]:
    """A record as plain values; decimals stay text, since no digit may be lost."""
    fields = msgspec.to_builtins(record)
    return {name: value for name, value in fields.items() if name not in ("type", "command_id")}


def _status_lines(found: RunStatus) -> Iterator[str]:
    started = datetime.fromtimestamp(found.started_ns // _NS_PER_S, UTC)
    yield f"{found.mode} run {found.epoch}, since {started:%Y-%m-%d %H:%M:%S} UTC: {found.state}"
    for reason in found.reasons:
        yield f"  {reason}"
    yield f"working orders: {found.working_orders}; open positions: {found.open_positions}; closing: {found.closing}"
    yield f"equity: {found.equity:f}"
    for name, value in found.details.items():
        yield f"{name}: {value}"


def _order_row(order: OrderRecord) -> Sequence[object]:
    price = order.price if order.price is not None else order.stop_price
    return (
        order.client_order_id,
        order.venue,
        order.symbol,
        order.side.value,
        order.order_type.value,
        _text(price),
        _text(order.quantity),
        _text(order.filled_quantity),
        order.status,
    )


def _position_row(position: PositionRecord) -> Sequence[object]:
    amounts = (
        position.quantity,
        position.average_price,
        position.mark_price,
        position.realised,
        position.unrealised,
        position.fees,
    )
    return (position.venue, position.symbol, *map(_text, amounts))


def _text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"
