"""May this run send real orders? Every answer but a clear yes is a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from config.credentials import Credentials
from config.layers import KeyPath
from config.loading import Loaded
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingInput
from orchestrator.live.addresses import venue_addresses
from orchestrator.live.doctor import permission
from orchestrator.live.feeds import is_simulated, traded_venues
from orchestrator.live.findings import Grade

REQUIRED_LIMITS: Final[tuple[KeyPath, ...]] = (
    ("risk", "limits", "capital_quote"),
    ("risk", "limits", "maximum_order_notional_quote"),
    ("risk", "limits", "maximum_exposure_quote"),
    ("risk", "loss", "maximum_loss_quote"),
)
"""Limits that a person must have stated: defaults are nobody's decision."""


def only_simulated(settings: Settings) -> bool:
    """Whether every venue of the run is a stand-in on this machine, so that no order costs money."""
    return all(is_simulated(venue_addresses(settings, venue)) for venue in traded_venues(settings))


def check_permission(loaded: Loaded, credentials: Credentials, *, understood: bool) -> None:
    """Refuse a run that nobody clearly asked for.

    Raises Fatal without the confirmation, without stated limits, or with keys that may withdraw; MissingInput without
    keys; Retry or Rejected when the venue does not say what the keys may do.
    """
    settings = loaded.settings
    key, secret = credentials.binance_api_key, credentials.binance_api_secret
    if key is None or secret is None:
        raise MissingInput("real orders need keys: set BINANCE_API_KEY and BINANCE_API_SECRET, see env.example")
    if not only_simulated(settings):
        check_intended(loaded.origins, understood=understood)
    if VenueName.BINANCE_SPOT in traded_venues(settings):
        addresses = venue_addresses(settings, VenueName.BINANCE_SPOT)
        finding = permission(addresses, key.get_secret_value(), secret.get_secret_value())
        if finding.grade is Grade.FAILED:
            raise Fatal(f"the keys were refused: {finding.seen}; {finding.remedy}")


def check_intended(origins: Mapping[KeyPath, str], *, understood: bool) -> None:
    """Raises Fatal without the confirmation, and for limits that the profile does not state."""
    if not understood:
        raise Fatal(
            "these orders cost real money: add --i-understand-the-risk, or try `tickwire paper` or `tickwire exchange`"
        )
    missing = [".".join(path) for path in REQUIRED_LIMITS if path not in origins]
    if missing:
        raise Fatal(f"the profile must state its limits for real orders; expected values for {', '.join(missing)}")
