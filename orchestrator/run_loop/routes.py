"""Whether a feed's routes lead to listings that can carry their numbers."""

from __future__ import annotations

from market.errors import Fatal, Rejected
from market.instruments import Catalogue
from market.protocols import Feed


def check_routes(feed: Feed, catalogue: Catalogue) -> None:
    """Raises Fatal when a route leads to no listing, or carries finer numbers than the instrument's counts."""
    for source in feed.sources:
        for route in source.routes:
            if route is None:
                continue
            try:
                instrument = catalogue.listing(route.instrument, route.venue).instrument
            except Rejected as refusal:
                raise Fatal(f"source {source.name}: {refusal}") from refusal
            own = (instrument.price_scale.exponent, instrument.quantity_scale.exponent)
            if route.price_exponent < own[0] or route.quantity_exponent < own[1]:
                raise Fatal(
                    f"source {source.name}: exponents of {instrument.name} were {route.price_exponent} and "
                    f"{route.quantity_exponent}; expected at least {own[0]} and {own[1]}, those of its counts"
                )
