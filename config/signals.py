"""Settings of the market signals that a replay samples beside its decisions."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from config.base import Count, Exact, Section, unit


class SignalsSettings(Section):
    """Market signals of a replay: they are shown and kept, no decision depends on them."""

    sample_interval_ms: Annotated[Count, Field(ge=0, le=3_600_000)] = Field(
        default=100, description="Time between two samples of a market's signals; 0: no signals."
    )
    flow_window_s: Annotated[Count, Field(ge=1, le=1_000)] = Field(
        default=60, description="Window of cumulative volume delta and toxicity."
    )
    vpin_bucket_quote: Annotated[Exact, Field(gt=0, lt=10**15)] = Field(
        default=Decimal(100_000), description="VPIN: volume of a bucket, at the instrument's reference price."
    )
    vpin_buckets: Annotated[Count, Field(ge=1, le=4_096)] = Field(
        default=50, description="VPIN: the mean is over this many buckets.", json_schema_extra=unit("buckets")
    )
