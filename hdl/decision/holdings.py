"""Positions and pending sizes: one bank per venue."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import Address, NewAddress, address_of, delayed
from hdl.decision.command_fields import command_field
from hdl.decision.compare import at_most
from hdl.decision.pick import one_of
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, assign, bundle, holding_fields
from hdl.parameters import CoreParameters
from market.fastpath.specification import Side


class HoldingStore(wiring.Component):
    """Positions and pending sizes of every (instrument, venue).

    Members
    -------
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on ``holdings`` has the instrument's.
    settle_select, settle_check: strobes, one after the other behind ``load``; then ``settlement_fits`` says whether
        the Settle in ``message`` has 0 <= filled <= released <= pending.
    settle: strobe, after ``settle_check``; the settlement is stored in the next cycle.
    write_position: strobe; the SetPosition in ``message`` is stored in the next cycle.
    write_selling, write_buying: per venue, a strobe; in the next cycle ``new_selling``, ``new_buying`` is stored as
        its pending size of that side.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        fields = holding_fields(parameters)
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "holdings": Out(bundle(fields)).array(parameters.venues),
                "message": In(parameters.control_bytes * 8),
                "settle_select": In(1),
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
        fields, venues = holding_fields(self._parameters), self._parameters.venues
        address = address_of(m, self.address, self._parameters, copy=3)
        settled = self._settlement(m, address)
        sources = {"position": "position", "pending_buy": "pendingBuy", "pending_sell": "pendingSell"}
        events = {
            "position": (Const(0, venues), Const(0)),
            "pending_buy": (self.write_buying, self.new_buying),
            "pending_sell": (self.write_selling, self.new_selling),
        }
        setting = delayed(m, self.write_position, "setting")
        settling = delayed(m, self.settle, "settling")
        for name, shape in fields.items():
            written, commanded = Signal(shape, name=f"written_{name}"), Signal(name=f"commanded_{name}")
            given = command_field(self.message, "SetPosition", sources[name])
            strobes, size = events[name]
            is_settled, value = settled[name]
            m.d.comb += [
                written.eq(Mux(setting, given, Mux(settling, value, size))),
                commanded.eq(setting | settling & is_settled),
            ]
            writing = delayed(m, strobes, f"writing_{name}")
            for venue in range(venues):
                write = commanded & address.here[venue] | writing[venue]
                self._bank(m, f"{name}_{venue}", venue, {name: shape}, address, write, written)
        return m

    def _bank(
        self, m: Module, name: str, venue: int, fields: Fields, address: Address, write: Value, written: Signal
    ) -> None:
        m.submodules[name] = bank = RowMemory(fields, self._parameters.instruments)
        m.d.comb += [bank.address[0].eq(address.instrument), bank.write_address.eq(address.instrument)]
        m.d.comb += [bank.write.eq(write), *[getattr(bank.write_row, each).eq(written) for each in fields]]
        with m.If(self.load):
            m.d.sync += assign(self.holdings[venue], bank.read[0], fields)

    def _settlement(self, m: Module, address: Address) -> dict[str, tuple[Value, Value]]:
        """Per field, whether a settlement changes it, and to what."""
        fields = holding_fields(self._parameters)
        buys, change = Signal(), Signal(signed(len(self.new_buying) + 1))
        position, pending = Signal(fields["position"]), Signal(fields["pending_buy"])
        new_position, new_pending = Signal.like(position), Signal.like(pending)
        of_venue = {name: one_of(address.here, [getattr(each, name) for each in self.holdings]) for name in fields}
        side = command_field(self.message, "Settle", "side")
        released = command_field(self.message, "Settle", "released")
        filled = command_field(self.message, "Settle", "filled")
        with m.If(self.load):
            m.d.sync += buys.eq(side == int(Side.BUY))
        with m.If(self.settle_select):
            m.d.sync += [
                position.eq(of_venue["position"]),
                pending.eq(Mux(buys, of_venue["pending_buy"], of_venue["pending_sell"])),
                change.eq(Mux(buys, filled, -filled)),
            ]
        with m.If(self.settle_check):
            m.d.sync += [
                self.settlement_fits.eq(~filled[-1] & at_most(filled, released) & at_most(released, pending)),
                new_position.eq(position + change),
                new_pending.eq(pending - released),
            ]
        return {
            "position": (Const(1), new_position),
            "pending_buy": (buys, new_pending),
            "pending_sell": (~buys, new_pending),
        }
