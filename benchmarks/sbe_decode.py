"""BestBidAsk messages of Binance's SBE stream: the compiled decoder in batch, beside decoders in Python."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any, Final

from benchmarks.harness import Report, seconds, take_turns
from benchmarks.quotes import best_bid_ask_messages, quote_events
from benchmarks.recordings import Coin, load_recording
from market.errors import Fatal
from market.wire.binance_sbe import decode_messages, new_batch
from market.wire.binary import FIRST_FIELD, pack
from market.wire.sbe import decode, load_schema
from market.wire.schemas import BINANCE_STREAM

TARGET_NS: Final = 10
_BATCH: Final = 1_024
_GENERIC: Final = 2_000
"""Messages that the decoders in Python get: they need microseconds for each."""


def measure(report: Report) -> None:
    """Nanoseconds per message."""
    messages = best_bid_ask_messages(quote_events(load_recording(Coin.BTC)))
    packs = [pack(messages[start : start + _BATCH]) for start in range(0, len(messages), _BATCH)]
    batch = new_batch(rows=_BATCH)
    schema = load_schema(BINANCE_STREAM)
    some = messages[:_GENERIC]

    def compiled() -> float:
        def work() -> None:
            for buffer, bounds in packs:
                batch.sink[:] = 0
                decode_messages(buffer, bounds, batch)

        return seconds(work) * 1e9 / len(messages)

    def generic() -> float:
        return seconds(lambda: [decode(schema, message) for message in some]) * 1e9 / len(some)

    contenders: dict[str, Callable[[], float]] = {"compiled": compiled, "generic": generic}
    other = _sbe_package()
    if other is None:
        report.note("the package `sbe` is not installed (pip install sbe==0.4.3): not compared")
    else:
        expected = decode(schema, some[0]).fields["bidPrice"]
        if other.decode(some[0]).value["bidPrice"] != expected:
            raise Fatal("the package `sbe` reads another bid price; nothing was timed")
        contenders["sbe"] = lambda: seconds(lambda: [other.decode(message).value for message in some]) * 1e9 / len(some)
    buffer, bounds = packs[0]
    decode_messages(buffer, bounds, batch)
    if batch.rows[0, FIRST_FIELD + 1] != decode(schema, some[0]).fields["bookUpdateId"]:
        raise Fatal("the compiled decoder reads another update id; nothing was timed")
    values = take_turns(contenders, report.rounds)
    case = f"BestBidAsk, batches of {_BATCH:,}"
    report.against_target(case, "ns/message", values["compiled"], TARGET_NS)
    report.compare(
        case,
        "ns/message",
        values["compiled"],
        "our generic decoder",
        values["generic"],
        caveat="pure Python from any schema, one dictionary per message: the golden model, not a peer for speed",
    )
    if "sbe" in values:
        report.compare(
            case,
            "ns/message",
            values["compiled"],
            "sbe 0.4.3",
            values["sbe"],
            caveat="pure Python, one dictionary per message",
        )


def _sbe_package() -> Any:
    """The schema as the package ``sbe`` reads it, None when that is not installed."""
    if importlib.util.find_spec("sbe") is None:
        return None
    sbe = importlib.import_module("sbe")
    with BINANCE_STREAM.open() as file:
        return sbe.Schema.parse(file)
