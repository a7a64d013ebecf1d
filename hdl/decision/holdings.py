"""Positions and pending sizes: one bank per venue."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Array, Const, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.command_fields import command_field
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, assign, bundle, holding_fields
from hdl.parameters import CoreParameters
from market.fastpath.specification import Side


class HoldingStore(wiring.Component):
    """Positions and pending sizes of every (instrument, venue).

    Members
    -------
    instrument, venue: what the other members are about; ``venue`` for settlements and positions that are set.
    load: strobe; from the next cycle on ``holdings`` has the instrument's.
    settle_check: strobe, after ``load``; from the next cycle on ``settlement_fits`` says whether the Settle in
        ``message`` has 0 <= filled <= released <= pending.
    settle: strobe, after ``settle_check``; the settlement is stored.
    write_position: strobe; the SetPosition in ``message`` is stored.
    write_selling, write_buying: per venue, a strobe; ``new_selling``, ``new_buying`` is its pending size of that side.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        fields = holding_fields(parameters)
        super().__init__(
            {
                "instrument": In(parameters.instrument_bits),
                "venue": In(parameters.venue_bits),
                "load": In(1),
                "holdings": Out(bundle(fields)).array(parameters.venues),
                "message": In(parameters.control_bytes * 8),
                "settle_check": In(1),
                "settlement_fits": Out(1),
                "settle": In(1),
                "write_position": In(1),
                "write_selling": In(parameters.venues),
                "write_buying": In(parameters.venues),
                "new_selling": In(fields["pending_sell"]),
                "new_buying": In(fields["pending_buy"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        fields = holding_fields(self._parameters)
        settled = {name: Signal(shape, name=f"settled_{name}") for name, shape in fields.items()}
        self._settlement(m, settled)
        sources = {"position": "position", "pending_buy": "pendingBuy", "pending_sell": "pendingSell"}
        events = {
            "position": (Const(0, self._parameters.venues), Const(0)),
            "pending_buy": (self.write_buying, self.new_buying),
            "pending_sell": (self.write_selling, self.new_selling),
        }
        for name, shape in fields.items():
            written = Signal(shape, name=f"written_{name}")
            given = command_field(self.message, "SetPosition", sources[name])
            strobes, size = events[name]
            m.d.comb += written.eq(Mux(self.write_position, given, Mux(self.settle, settled[name], size)))
            for venue in range(self._parameters.venues):
                commanded = (self.write_position | self.settle) & (self.venue == venue)
                self._bank(m, venue, name, {name: shape}, commanded | strobes[venue], written)
        return m

    def _bank(self, m: Module, venue: int, name: str, fields: Fields, write: Any, written: Any) -> None:
        m.submodules[f"{name}_{venue}"] = bank = RowMemory(fields, self._parameters.instruments)
        m.d.comb += [
            bank.address[0].eq(self.instrument),
            bank.write_address.eq(self.instrument),
            bank.write.eq(write),
            getattr(bank.write_row, name).eq(written),
        ]
        with m.If(self.load):
            m.d.sync += assign(self.holdings[venue], bank.read[0], fields)

    def _settlement(self, m: Module, settled: dict[str, Signal]) -> None:
        """The holding of the venue behind a settlement, and whether the settlement may be made."""
        holding = {name: Array(getattr(each, name) for each in self.holdings)[self.venue] for name in settled}
        buys = command_field(self.message, "Settle", "side") == int(Side.BUY)
        released = command_field(self.message, "Settle", "released")
        filled = command_field(self.message, "Settle", "filled")
        pending = Signal(unsigned(len(settled["pending_buy"])))
        m.d.comb += pending.eq(Mux(buys, holding["pending_buy"], holding["pending_sell"]))
        with m.If(self.settle_check):
            m.d.sync += [
                self.settlement_fits.eq((filled >= 0) & (filled <= released) & (released <= pending)),
                settled["pending_buy"].eq(holding["pending_buy"] - Mux(buys, released, 0)),
                settled["pending_sell"].eq(holding["pending_sell"] - Mux(buys, 0, released)),
                settled["position"].eq(holding["position"] + Mux(buys, filled, -filled)),
            ]
