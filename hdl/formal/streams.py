"""Streams keep their protocol: an offer stays, with what it offers, until it is taken."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Signal, Value

from hdl.feeds.trade_queue import TradeQueue
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode

_DROPS: Final = "a reader that takes without being ready"
_TRADE_ROWS: Final = 4
_OFFERS: Final = 2
"""State of the trade queue in which it offers a trade."""


def _keeps_its_offer(bench: Bench, offered: Any, mutation: str) -> None:
    """Claims the protocol of an output; the mutation takes what the claim does not see taken."""
    payload = Value.cast(offered.payload)
    ready = bench.free("ready")
    taken = bench.free("taken_unseen") if mutation == _DROPS else 0
    bench.m.d.comb += offered.ready.eq(ready | taken)
    waits = bench.past(offered.valid & ~ready)
    held = Signal(len(payload), name="held")
    bench.m.d.sync += held.eq(payload)
    bench.claim_after(~waits | (offered.valid & (payload == held)))
    bench.reach(waits & offered.valid & (payload != 0))


def _trades(mutation: str) -> Design:
    subject = TradeQueue(depth=_TRADE_ROWS)
    bench = Bench(subject)
    bench.free_inputs("kept")
    _keeps_its_offer(bench, subject.kept, mutation)
    if not mutation:
        bench.claim(subject.kept.valid == (bench.peek("fsm_state", 2) == _OFFERS))
    return bench.design()


TRADES: Final = Proof(
    name="trade queue",
    statement=f"a trade that is offered stays until it is taken, whatever comes in; {_TRADE_ROWS} rows",
    build=_trades,
    mutations=(_DROPS,),
    mode=Mode.PROVE,
    depth=3,
    mutation_depth=10,
    cover_depth=10,
)
