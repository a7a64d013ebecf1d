"""Settings of execution and of folders."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.base import Count, Section


class Mode(StrEnum):
    """Which feed, clock and gateway are plugged into the one run loop."""

    BACKTEST = "backtest"
    PAPER = "paper"
    LIVE = "live"


class OrderPath(StrEnum):
    """How orders travel to a venue."""

    CCXT_REST = "ccxt-rest"
    CCXT_WEBSOCKET = "ccxt-websocket"
    NATIVE = "native"


LimitCount = Annotated[Count, Field(ge=0, le=2**31 - 1)]
Percent = Annotated[Count, Field(ge=0, le=100)]
PauseMilliseconds = Annotated[Count, Field(ge=1, le=86_400_000)]


class RequestLimits(Section):
    """What one venue is asked at most; 0: no limit of ours. A limit of 1 cannot be kept and counts as 2."""

    orders_10s: LimitCount = Field(default=0, description="New orders within any 10 seconds.")
    orders_minute: LimitCount = Field(default=0, description="New orders within any minute.")
    orders_day: LimitCount = Field(default=0, description="New orders within any 24 hours.")
    weight_minute: LimitCount = Field(default=0, description="Request weight within any minute.")
    messages_second: LimitCount = Field(default=0, description="Requests of any kind within any second.")


class BreakerSettings(Section):
    """The circuit breaker: it stops new orders to a venue that does not answer."""

    window_ms: PauseMilliseconds = Field(default=60_000, description="How long the outcome of a request counts.")
    least_calls: Annotated[Count, Field(ge=1, le=10_000)] = Field(
        default=10, description="Fewer outcomes than these never open it."
    )
    failure_percent: Annotated[Count, Field(ge=1, le=100)] = Field(
        default=50, description="Share of requests without an answer that opens it."
    )
    pause_ms: PauseMilliseconds = Field(default=10_000, description="How long it stays open before a trial.")
    trials: Annotated[Count, Field(ge=1, le=1_000)] = Field(
        default=3, description="Orders that must be answered before it closes again."
    )


class ExecutionSettings(Section):
    """Where orders go, and how."""

    mode: Mode = Field(
        default=Mode.BACKTEST,
        description="backtest: recordings, simulated fills; paper: live feeds, simulated fills; live: real orders.",
    )
    order_path: OrderPath = Field(
        default=OrderPath.CCXT_WEBSOCKET,
        description="ccxt-rest: a request per order; ccxt-websocket: one connection for all orders; native: the same "
        "without CCXT, with messages that are built beforehand.",
    )
    receive_window_ms: Annotated[Count, Field(ge=100, le=60_000)] = Field(
        default=5_000, description="An order that reaches the venue later than this after it was made is refused there."
    )
    answer_timeout_ms: Annotated[Count, Field(ge=100, le=60_000)] = Field(
        default=5_000, description="After this without an answer the outcome of a request is unknown, and asked for."
    )
    reserve_percent: Percent = Field(
        default=20, description="Share of every request limit that only cancellations and questions may use."
    )
    spot_limits: RequestLimits = Field(
        default=RequestLimits(orders_10s=100, orders_day=200_000, weight_minute=6_000),
        description="Limits of Binance spot; the venue's own by default.",
    )
    futures_limits: RequestLimits = Field(
        default=RequestLimits(orders_10s=300, orders_minute=1_200, weight_minute=2_400),
        description="Limits of Binance USD-M futures; the venue's own by default.",
    )
    warm_every_us: Annotated[Count, Field(ge=0, le=1_000_000)] = Field(
        default=0,
        description="While the run waits, it makes the last order ready again so often, without sending it: what that "
        "needs stays in the processor's caches. For native; 0: never.",
    )
    rules_every_s: Annotated[Count, Field(ge=0, le=86_400)] = Field(
        default=60,
        description="How often venues are asked whether their markets are still traded by the same rules, and after a "
        "refusal that says otherwise; 0: never.",
    )
    breaker: BreakerSettings = Field(default=BreakerSettings(), description="The circuit breaker of every venue.")


class PathSettings(Section):
    """Folders, relative to the working directory unless absolute."""

    output: Path = Field(default=Path("out"), description="Folder that results are written to.")
