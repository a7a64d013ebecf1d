"""Checks before a run: clock, disk, keys, venues, compiled kernels, processor cores, the board."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from config.credentials import BINANCE_API_KEY, BINANCE_API_SECRET, Credentials
from config.engine import BackEnd
from config.settings import Settings
from config.venues import VenueName
from market.errors import Rejected, Retry
from market.native.cache import cache_root
from orchestrator.clock import SystemClock
from orchestrator.live.addresses import VenueAddresses, venue_addresses
from orchestrator.live.doctor_board import examine_board
from orchestrator.live.doctor_venues import examine_venues
from orchestrator.live.findings import Finding, Grade
from orchestrator.live.http_json import fetch_json

PERMISSIONS_PATH: Final = "/sapi/v1/account/apiRestrictions"
_TIMEOUT_S: Final = 5.0
_ENOUGH_BYTES: Final = 2 << 30
_LEAST_BYTES: Final = 200 << 20
_MS: Final = 1_000_000


def examine(settings: Settings, credentials: Credentials, serial: Path | None = None) -> Iterator[Finding]:
    """All checks in turn; those of venues ask the venues, those of a board the board.

    Parameters
    ----------
    serial: the device of the board's serial line, if that is to be tried.
    """
    yield _disk(settings.storage.journal)
    yield _kernels()
    yield _cores(settings.loop.core)
    yield from examine_venues(settings)
    yield from _keys(settings, credentials)
    if settings.engine.back_end is BackEnd.FPGA:
        yield from examine_board(settings, credentials, serial)


def _disk(folder: Path) -> Finding:
    """Room for the journal; an order that cannot be written down is not sent."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        return Finding("disk", Grade.FAILED, f"{there} cannot be written", "set storage.journal to a folder of yours")
    free = shutil.disk_usage(there).free
    seen = f"{free / 2**30:.1f} GiB free at {there}"
    if free < _LEAST_BYTES:
        return Finding("disk", Grade.FAILED, seen, "make room: orders are not sent when they cannot be written down")
    return Finding("disk", Grade.GOOD if free >= _ENOUGH_BYTES else Grade.WARNING, seen, "make room soon")


def _kernels() -> Finding:
    compiled = sum(1 for _ in cache_root().glob("**/*.nbi"))
    if compiled:
        return Finding("kernels", Grade.GOOD, f"{compiled} compiled in {cache_root()}")
    return Finding("kernels", Grade.WARNING, f"none compiled in {cache_root()}", "run `tickwire warm` before trading")


def _cores(core: int) -> Finding:
    allowed = sorted(os.sched_getaffinity(0))
    if core < 0:
        seen = f"no core is reserved; {len(allowed)} to share"
        return Finding(
            "cores", Grade.WARNING, seen, "for steady latency set loop.core to a core that nothing else uses"
        )
    if core not in allowed:
        return Finding("cores", Grade.FAILED, f"core {core} is not allowed", f"set loop.core to one of {allowed}")
    return Finding("cores", Grade.GOOD, f"core {core} of {len(allowed)}")


def _keys(settings: Settings, credentials: Credentials) -> Iterator[Finding]:
    key, secret = credentials.binance_api_key, credentials.binance_api_secret
    if key is None or secret is None:
        missing = " and ".join(
            name for name, there in ((BINANCE_API_KEY, key), (BINANCE_API_SECRET, secret)) if there is None
        )
        yield Finding("keys", Grade.WARNING, f"{missing} not set", "needed for `tickwire live` only")
        return
    venue = next((venue for venue in settings.venues if venue is VenueName.BINANCE_SPOT), None)
    if venue is None:
        yield Finding("keys", Grade.WARNING, "what they may do is told by binance-spot only, which is not listed")
        return
    addresses = venue_addresses(settings, venue)
    try:
        yield permission(addresses, key.get_secret_value(), secret.get_secret_value())
    except (Retry, Rejected) as error:
        yield Finding("keys", Grade.FAILED, str(error), "keys must be valid, and may be bound to another address")


def permission(addresses: VenueAddresses, key: str, secret: str) -> Finding:
    """Whether the keys may trade and nothing more; raises Retry or Rejected without an answer."""
    query = urlencode({"timestamp": SystemClock().now_ns() // _MS, "recvWindow": 5_000})
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    url = f"{addresses.http}{PERMISSIONS_PATH}?{query}&signature={signature}"
    allowed = fetch_json(url, {"X-MBX-APIKEY": key}, _TIMEOUT_S)
    if allowed.get("enableWithdrawals"):
        return Finding("keys", Grade.FAILED, "they may withdraw", "make keys that may trade only: these are refused")
    if not allowed.get("enableSpotAndMarginTrading"):
        return Finding("keys", Grade.WARNING, "they may not trade on spot", "allow trading, never withdrawals")
    bound = bool(allowed.get("ipRestrict"))
    seen = f"may trade, may not withdraw, {'bound' if bound else 'not bound'} to addresses"
    return Finding("keys", Grade.GOOD if bound else Grade.WARNING, seen, "bind the keys to this machine's address")
