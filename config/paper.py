"""Settings of trading on paper: what is there at the beginning, and how far away the venues are."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from config.base import Count, Section, unit
from config.instruments import NotNegative


class PaperSettings(Section):
    """Trading on paper: live market data, fills of our own matching engine."""

    latency_ms: Annotated[Count, Field(ge=0, le=60_000)] = Field(
        default=5, description="Time of an order to its venue, and of the answer back."
    )
    quote_balance: NotNegative = Field(
        default=Decimal(100_000),
        description="Held of the quote asset at the start, on each venue.",
        json_schema_extra=unit("quote currency"),
    )
    base_balance: NotNegative = Field(
        default=Decimal(1),
        description="Held of each base asset at the start, on each spot venue.",
        json_schema_extra=unit("base currency"),
    )
