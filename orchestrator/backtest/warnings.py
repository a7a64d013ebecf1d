"""What somebody must know before believing a backtest: what was assumed, generated, lost or too short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_NS_PER_S: Final = 1_000_000_000
_SHORT_S: Final = 30 * 86_400


def what_was_generated(result: Mapping[str, Any]) -> str:
    """Which sources of a result that is synthetic were generated, in words."""
    generated = result["synthetic_sources"]
    recorded = [name for name in result["sources"] if name not in generated]
    if not recorded:
        return "generated, not recorded"
    return f"{', '.join(generated)} generated, not recorded; {', '.join(recorded)} recorded"


def warnings_of(result: Mapping[str, Any]) -> list[str]:
    """Sentences, those about this run first."""
    return [*_of_run(result), *_of_data(result), *_assumed(result)]


def _of_run(result: Mapping[str, Any]) -> Iterator[str]:
    if result["synthetic"]:
        yield (
            f"SYNTHETIC: {what_was_generated(result)}. Nothing here says what would have been earned on real markets."
        )
    if result["interrupted"]:
        yield "The run was interrupted: everything after that is missing."
    if result["problems"]:
        yield f"{len(result['problems'])} problems, the first: {result['problems'][0]}"
    if result["counts"]["strategy_errors"]:
        yield f"Strategies refused {result['counts']['strategy_errors']:,} causes with an error."
    lookahead = result.get("lookahead")
    if lookahead is None:
        yield "It was not checked for looking ahead (--check-lookahead)."
    else:
        changed = len(lookahead["differences"])
        yield f"The future was cut {lookahead['cuts']:,} times: {changed:,} runs changed before the cut."


def _of_data(result: Mapping[str, Any]) -> Iterator[str]:
    for damage in result["damage"]:
        yield f"{damage['source']} is damaged: {damage['reason']}, {damage['detail']}. What came after is missing."
    if result["gaps"]:
        yield f"The recordings lost a book {result['gaps']:,} times; until the next snapshot no order was taken in."
    for name, refused in result["refused"].items():
        if refused:
            yield f"{name}: {refused:,} messages could not be read."
    lasted_s = (result["last_ns"] - result["first_ns"]) / _NS_PER_S
    if lasted_s < _SHORT_S:
        yield (
            f"Sharpe and Sortino are of {lasted_s:,.0f} s, brought to a year of 365 days by the root of the samples in "
            "it, risk-free rate 0: so short a run says nothing about a year."
        )


def _assumed(result: Mapping[str, Any]) -> Iterator[str]:
    model = result["model"]
    exact = model["exact_queues"]
    if exact:
        yield f"Places in queues are exact on {', '.join(exact)}, where the feed states every order."
    if set(model["latency_us"]) - set(exact):
        yield (
            f"Assumed: places in queues, by the model {model['queue']}; a recording does not say whose orders it "
            f"shows. Fills are {'partial' if model['partial_fills'] else 'whole'}."
        )
    if model["own_impact"]:
        yield "Assumed: what own orders took is gone until the recording states the level again; nobody else reacts."
    else:
        yield "Assumed: own orders take nothing out of the book."
    for name, (entry_us, response_us) in model["latency_us"].items():
        samples = model["latency_samples"][name]
        if samples:
            yield f"Assumed: requests to {name} and its answers take as long as in {samples:,} samples."
        else:
            yield f"Assumed: requests to {name} take {entry_us:,} us and answers {response_us:,} us, always."
    for name, ahead_ns in result["clock_ahead_ns"].items():
        where = "ahead of" if ahead_ns >= 0 else "behind"
        yield f"The clock of {name} was read as {abs(ahead_ns) / 1e6:,.3f} ms {where} the receiver's."
    for name, fees in result["settings"]["fees_bps"].items():
        yield f"Fees on {name}: {fees['maker']} bps as maker, {fees['taker']} bps as taker, by the settings."
    for name, slippage in model["slippage"].items():
        if slippage == "NONE":
            yield f"Assumed: orders that take on {name} are filled at what the book displays, without slippage."
    if model["funding_times"]:
        yield f"Funding came due {model['funding_times']:,} times; strategies do not hear of it."
    yield "Open positions count at the middle: closing them would cost spread and fees."
