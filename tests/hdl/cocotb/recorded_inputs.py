"""The beginning of real recordings as what an engine is given: frames and control messages with their times."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.loading import load_settings
from market.engine import Engine
from market.fastpath.conformance.case import Frame, RawControl, Step
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from orchestrator.replay.plan import parse_source, session_settings
from sim.replay.framed import Framed, traded_pairs, with_channels
from sim.replay.stepping import replay_stepwise

FILES: Final = {
    "binance-spot": "spot_btcusdt_20240808.gz",
    "binance-usdm": "usdm_btcusdt_20240808.gz",
    "binance-cm": "cm_btcusd_perp_20240808.gz",
}
START_MS: Final = 1_723_161_256_200
"""All three markets have begun by then."""
THRESHOLDS: Final = {
    "TICKWIRE__INSTRUMENTS__BTC__BASIS_WARM_UP": "5",
    "TICKWIRE__INSTRUMENTS__BTC__BASIS_THRESHOLD_BPS": "0.01",
    "TICKWIRE__INSTRUMENTS__BTC__COOLDOWN_MS": "1",
}
"""Over the demo profile: so low that a few seconds make triggers."""


class Notes(CpuEngine):
    """A CPU engine that remembers what it was given."""

    def __init__(self, sizes: EngineSizes) -> None:
        super().__init__(sizes)
        self.inputs: list[tuple[str, int, bytes]] = []

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Frames, noted."""
        self.inputs += [("frame", time, octets) for octets, time in zip(frames, receive_ns, strict=True)]
        super().push(frames, receive_ns)

    def control(self, message: bytes, time_ns: int) -> None:
        """A control message, noted."""
        self.inputs.append(("control", time_ns, message))
        super().control(message, time_ns)


class Silence:
    """Takes what a replay produces, and leaves it."""

    def outputs(self, payloads: list[bytes]) -> None:
        """Payloads that the engine sent."""

    def quotes(self, rows: NDArray[np.int64]) -> None:
        """Quote rows."""

    def changes(self, rows: NDArray[np.int64]) -> None:
        """Opportunity changes."""


def write_inputs(recordings: Path, duration_ms: int, folder: Path) -> tuple[Path, dict[str, int]]:
    """Replay a slice of each file as frames; the file of inputs, and the counters at the end."""
    sources = []
    for name, file in FILES.items():
        part = folder / file
        with gzip.open(recordings / file, "rb") as whole, gzip.open(part, "wb", compresslevel=1) as kept:
            kept.writelines(_before(whole, START_MS + duration_ms))
        sources.append(parse_source(f"{name}={part}"))
    planned = with_channels(session_settings(load_settings("demo", local=None, environment=THRESHOLDS), sources))
    engines: list[Notes] = []

    def make(settings: object) -> Engine:
        engines.append(Notes(planned.sizes))
        return Framed(engines[0], traded_pairs(planned.tables))

    replay_stepwise(planned, Silence(), make)
    written = folder / "inputs.json"
    inputs = [(kind, time, octets.hex()) for kind, time, octets in engines[0].inputs]
    written.write_text(json.dumps({"sizes": asdict(planned.sizes), "inputs": inputs}), encoding="utf-8")
    return written, engines[0].counters


def _before(lines: Iterable[bytes], end_ms: int) -> Iterator[bytes]:
    """The lines that were received before that, in order."""
    for line in lines:
        if int(line[: line.index(b" ")]) >= end_ms * 1_000_000:
            return
        yield line


def read_inputs(written: Path) -> tuple[EngineSizes, list[Step]]:
    """Sizes and steps of such a file."""
    content = json.loads(written.read_text(encoding="utf-8"))
    steps = [
        Step(time, (Frame if kind == "frame" else RawControl)(bytes.fromhex(octets)), ())
        for kind, time, octets in content["inputs"]
    ]
    return EngineSizes(**content["sizes"]), steps
