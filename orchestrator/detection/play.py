"""The trader over the part of a session in which something can happen, by the ordinary backtest.

While its detector sleeps a trader sends nothing. So it is played from shortly before the first trigger, with the
detector as it was by then, until the last event is over: the same decisions as over the whole session, sooner.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from config.flash_crash import FlashCrashMarket
from config.settings import Settings
from market.detector.persistence import saved
from market.detector.settings import SECOND_NS, DetectorSettings
from market.errors import Fatal
from market.orders.kinds import Side
from market.protocols import FOREVER
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.detection.listen import Checkpoint, Heard
from orchestrator.detector.plan import detector_settings
from orchestrator.replay.plan import SourceFile, session_settings
from orchestrator.strategies.flash_crash.plan import flash_crash_traders
from orchestrator.strategies.flash_crash.state import VERSION, TraderState
from orchestrator.strategies.flash_crash.trader import FlashCrash
from orchestrator.strategies.sizing import FullSize
from sim.replay.source import SourceSettings

_AFTER_NS: Final = 5 * SECOND_NS
"""Played on after the end of the last event: what was left would be seen."""
_LONGEST_TIME: Final = 24
"""Bytes that hold a line's time."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """What the trader did.

    Parameters
    ----------
    orders, entries: orders to buy, and those of which something was filled. trades: closed ones.
    outside: orders to buy that were decided while not ACTIVE. left: lots held at the end.
    asleep: whether all was sold by the end of RECOVERY.
    """

    orders: int = 0
    entries: int = 0
    trades: int = 0
    wins: int = 0
    gain_quote: float = 0.0
    outside: int = 0
    left: int = 0
    asleep: bool = True
    exits: dict[str, int] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)


def traded_market(settings: Settings) -> FlashCrashMarket:
    """The one market that the trader trades; raises Fatal where the settings name none or several."""
    markets = list(settings.strategies.flash_crash.markets.values())
    if len(markets) != 1:
        raise Fatal(
            f"strategies.flash_crash.markets names {len(markets)} markets; expected the one that sessions are of: "
            "use the profile flash-crash, or one that extends it"
        )
    return markets[0]


def source_of(settings: Settings, path: Path) -> SourceSettings:
    """The recording of a session as a source."""
    [source] = session_settings(settings, [SourceFile(traded_market(settings).venue, path)]).sources
    if not isinstance(source, SourceSettings):
        raise Fatal(f"{path} is no recording of lines")
    return source


def listening_settings(settings: Settings) -> DetectorSettings:
    """The trader's detector."""
    market = traded_market(settings)
    written = settings.instruments[market.instrument].markets[market.venue]
    return detector_settings(
        settings.detector.thresholds(market.instrument),
        price_decimals=written.price_decimals,
        quantity_decimals=written.quantity_decimals,
    )


def play(settings: Settings, path: Path, heard: Heard, *, whole: bool = False) -> Played:
    """Play the trader over a session in which it wakes.

    Parameters
    ----------
    whole: from the start to the end, whatever there is.
    """
    checkpoint = None if whole else heard.checkpoint
    part = path if checkpoint is None else _from(path, checkpoint)
    try:
        plan = read_plan(settings, [SourceFile(traded_market(settings).venue, part)])
        [trader] = flash_crash_traders(settings, plan.catalogue, FullSize())
        if checkpoint is not None:
            trader.restore(_state(checkpoint))
        asleep_ns = heard.asleep_ns
        until_ns = FOREVER if whole or asleep_ns is None else asleep_ns + _AFTER_NS
        run = run_backtest(plan, [trader], until_ns=until_ns)
    finally:
        if part != path:
            part.unlink(missing_ok=True)
    return _played(run, trader, heard)


def _played(run: BacktestRun, trader: FlashCrash, heard: Heard) -> Played:
    bought = [order for order in run.summary.orders if order.intent.side is Side.BUY]
    spans = [(start, FOREVER if end is None else end) for start, end in heard.spans]
    inside = [order for order in bought if any(start <= order.intent.decided_ns < end for start, end in spans)]
    notional = 10.0 ** run.plan.catalogue.listings[0].instrument.notional_exponent
    asleep_ns = heard.asleep_ns
    late = [order for order in run.summary.orders if asleep_ns is not None and order.ended_ns > asleep_ns]
    return Played(
        orders=len(bought),
        entries=sum(bool(order.fills) for order in bought),
        trades=len(trader.closed),
        wins=sum(one.gain > 0 for one in trader.closed),
        gain_quote=round(sum(one.gain for one in trader.closed) * notional, 2),
        outside=len(bought) - len(inside),
        left=sum(abs(account.position) for account in run.accounts),
        asleep=not late,
        exits=dict(sorted(Counter(one.reason.name.lower() for one in trader.closed).items())),
        rejections={reason.name.lower(): count for reason, count in sorted(trader.rejections.items())},
    )


def _state(checkpoint: Checkpoint) -> bytes:
    """The trader as it slept until a checkpoint: its detector; volumes and ranges it hears anew before the event."""
    return msgspec.msgpack.encode(
        TraderState(
            version=VERSION,
            detector=saved(checkpoint.detector),
            volumes=(),
            second=-1,
            ranges=(),
            holdings=[],
            entered_ns=0,
            lost_ns=0,
            rejections={},
        )
    )


def _from(path: Path, checkpoint: Checkpoint) -> Path:
    """The lines from a checkpoint's snapshot on, as a file beside the recording.

    All of them, as clocks are compared over the whole recording. Raises Fatal where the snapshot is not there any more.
    """
    part = path.with_suffix(".part")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        lines = _Lines(content)
        first = lines.at(bisect_left(lines, checkpoint.receive_ns))
        if not content[first : first + _LONGEST_TIME].startswith(b"%d " % checkpoint.receive_ns):
            raise Fatal(f"{path} has no line of {checkpoint.receive_ns} ns any more")
        with part.open("wb") as out:
            out.write(memoryview(content)[first:])
    return part


class _Lines:
    """Receive times of a recording's lines, by places in its bytes: that of the first readable line from there on."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content

    def __len__(self) -> int:
        return len(self._content)

    def __getitem__(self, place: int) -> int:
        begin = self.at(place)
        while begin < len(self._content):
            time = self._content[begin : begin + _LONGEST_TIME].partition(b" ")[0]
            if time.isdigit():
                return int(time)
            begin = self.at(begin + 1)
        return FOREVER

    def at(self, place: int) -> int:
        """Where the first line begins that begins at a place or later; the end where none does."""
        if not place:
            return 0
        before = self._content.find(b"\n", place - 1)
        return len(self._content) if before < 0 else before + 1
