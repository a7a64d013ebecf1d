"""What a loop did, as one JSON object and as tables."""

from __future__ import annotations

from typing import Any, Final

from market.fastpath.layout import SCHEMA
from market.fastpath.specification import GateReason, Kind, RejectReason
from market.pipeline.journal import quantile
from market.pipeline.layout import HISTOGRAM_WORDS
from market.receive import layout
from market.receive.layout import Counter, SocketCounter
from market.receive.words import counter, socket_counter
from market.wire.sbe import decode
from orchestrator.cli.output import Output
from orchestrator.loop.service import ReceiveLoop
from orchestrator.loop.sockets import endpoint_of

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
_HISTOGRAMS: Final = {"from_kernel": layout.FROM_KERNEL, "from_entry": layout.FROM_ENTRY}


def loop_result(loop: ReceiveLoop) -> dict[str, Any]:
    """Everything that the loop counted so far, ready for JSON.

    Latencies are in ns, from the kernel's receive time and from the datagram's arrival in the loop, to the return of
    the call that sent the trigger; with a resolution of 6 %, None without triggers.
    """
    counters = loop.engine.counters
    sockets = [*loop.sockets.channels.items(), ("control", loop.sockets.control)]
    rows = {name: _socket(loop, number, opened) for number, (name, opened) in enumerate(sockets)}
    frames = dict(decode(SCHEMA, loop.engine.frame_counters()).fields)
    return {
        "channels": {name: row for name, row in rows.items() if name != "control"},
        "control": rows["control"],
        "steps": frames.pop("step"),
        "frames": frames,
        "triggers": {kind.name: counters[f"trigger{kind.name.capitalize()}"] for kind in Kind},
        "suppressed": {reason.name: counters[f"gate{reason.name.capitalize()}"] for reason in GateReason},
        "rejects": {reason.name: counters[f"reject{_camel(reason.name)}"] for reason in RejectReason},
        "loop": {which.name.lower(): counter(loop.words, which) for which in Counter},
        "latency_ns": {name: _quantiles(loop, at) for name, at in _HISTOGRAMS.items()},
        "counters": counters,
        "parity": f"{loop.engine.parity:08x}",
    }


def show_result(output: Output, result: dict[str, Any]) -> None:
    """The same for people."""
    columns = [which.name.lower() for which in SocketCounter]
    rows = [[name, row["at"], *(f"{row[column]:,}" for column in columns)] for name, row in _sockets(result)]
    output.table("sockets", ("socket", "at", *columns), rows, right=columns)
    for title in ("frames", "triggers", "suppressed", "rejects", "loop"):
        counted = [(name, f"{count:,}") for name, count in result[title].items() if count]
        if counted:
            output.table(title, ("counter", "count"), counted, right=("count",))
    if result["latency_ns"]["from_kernel"]["p50"] is not None:
        latencies = [(name, *(f"{value:,}" for value in row.values())) for name, row in result["latency_ns"].items()]
        output.table("latency to sent trigger, ns", ("measured", *QUANTILES), latencies, right=tuple(QUANTILES))


def _sockets(result: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [*result["channels"].items(), ("control", result["control"])]


def _socket(loop: ReceiveLoop, number: int, opened: Any) -> dict[str, Any]:
    counts = {which.name.lower(): socket_counter(loop.words, number, which) for which in SocketCounter}
    return {"at": str(endpoint_of(opened)), **counts}


def _quantiles(loop: ReceiveLoop, histogram: int) -> dict[str, int | None]:
    counts = loop.words[histogram : histogram + HISTOGRAM_WORDS]
    return {name: quantile(counts, fraction) for name, fraction in QUANTILES.items()}


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
