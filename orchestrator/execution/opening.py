"""The gateway of a venue from settings, addresses and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from config.execution import ExecutionSettings, OrderPath
from market.instruments import Listing
from market.protocols import Clock
from orchestrator.execution.binance_native import NativeChannel
from orchestrator.execution.ccxt_channel import CcxtChannel
from orchestrator.execution.ccxt_client import BinanceAddresses
from orchestrator.execution.channel import Channel
from orchestrator.execution.gateway import VenueGateway
from orchestrator.execution.guard import guard_limits
from orchestrator.execution.requests import MarketKind
from orchestrator.live.network import NetworkThread

_BINANCE_API: Final = {
    MarketKind.SPOT: "wss://ws-api.binance.com:443/ws-api/v3",
    MarketKind.USD_MARGINED: "wss://ws-fapi.binance.com/ws-fapi/v1",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """An account's key and secret; neither is ever printed. The secret is HMAC's, or an Ed25519 private key in PEM."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)


def venue_gateway(
    *,
    name: str,
    venue: int,
    kind: MarketKind,
    listings: Iterable[Listing],
    settings: ExecutionSettings,
    addresses: BinanceAddresses | None,
    keys: Keys,
    clock: Clock,
    wake: Callable[[], None],
    network: NetworkThread,
    on_problem: Callable[[str], None],
) -> VenueGateway:
    """A gateway by the order path of the settings; ``open`` connects it.

    Parameters
    ----------
    addresses: None for Binance itself. Others as ``VenueGateway`` has them.
    """
    channel: Channel = CcxtChannel(
        kind=kind,
        addresses=addresses,
        api_key=keys.api_key,
        secret=keys.secret,
        over_websocket=settings.order_path is OrderPath.CCXT_WEBSOCKET,
        receive_window_ms=settings.receive_window_ms,
        answer_timeout_ms=settings.answer_timeout_ms,
    )
    if settings.order_path is OrderPath.NATIVE:
        channel = NativeChannel(
            kind=kind,
            url=_api_url(kind, addresses),
            api_key=keys.api_key,
            secret=keys.secret,
            base=channel,
            receive_window_ms=settings.receive_window_ms,
            answer_timeout_ms=settings.answer_timeout_ms,
        )
    return VenueGateway(
        name=name,
        venue=venue,
        kind=kind,
        listings=listings,
        limits=guard_limits(settings, kind),
        receive_window_ms=settings.receive_window_ms,
        clock=clock,
        wake=wake,
        network=network,
        channel=channel,
        on_problem=on_problem,
    )


def _api_url(kind: MarketKind, addresses: BinanceAddresses | None) -> str:
    if addresses is None:
        return _BINANCE_API[kind]
    if kind is MarketKind.SPOT:
        return f"{addresses.spot_ws}/ws-api/v3"
    return f"{addresses.futures_ws}/ws-fapi/v1"
