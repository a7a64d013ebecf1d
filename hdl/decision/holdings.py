"""Positions and pending sizes, read one venue after the other."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.block_rows import scanned_rows
from hdl.decision.command_fields import command_field
from hdl.decision.compare import at_most
from hdl.decision.shapes import bundle, holding_fields
from hdl.parameters import CoreParameters
from market.fastpath.specification import Side


class HoldingStore(wiring.Component):
    """Positions and pending sizes of every (instrument, venue).

    Members
    -------
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on, or the one behind it (see ``BlockRows``), ``holding`` has what is stored for
        the venue in use: that of the address.
    turn: strobe; from the next cycle on the venue in use is ``other``.
    select: strobe; from then on it is ``seller`` for the pending sale, ``buyer`` for the pending purchase.
    settle_select, settle_check: strobes, one after the other, the first one two cycles behind ``load``; then
        ``settlement_fits`` says whether the Settle in ``message`` has 0 <= filled <= released <= pending.
    settle: strobe, after ``settle_check``; the settlement is stored in the next cycle.
    write_position: strobe; the SetPosition in ``message`` is stored in the next cycle.
    write_selling, write_buying: strobes; in the next cycle ``new_selling``, ``new_buying`` is stored as the pending
        size of the venue in use.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        fields, venue = holding_fields(parameters), parameters.venue_bits
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "holding": Out(bundle(fields)),
                "turn": In(1),
                "other": In(venue),
                "select": In(1),
                "seller": In(venue),
                "buyer": In(venue),
                "message": In(parameters.control_bytes * 8),
                "settle_select": In(1),
                "settle_check": In(1),
                "settlement_fits": Out(1),
                "settle": In(1),
                "write_position": In(1),
                "write_selling": In(1),
                "write_buying": In(1),
                "new_selling": In(fields["pending_sell"]),
                "new_buying": In(fields["pending_buy"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        fields = holding_fields(self._parameters)
        address = address_of(m, self.address, self._parameters, copy=3)
        seller, buyer = self._venues(m)
        settled = self._settlement(m)
        banks = {
            "position": ("position", seller, Const(0), Const(0)),
            "pending_buy": ("pendingBuy", buyer, self.write_buying, self.new_buying),
            "pending_sell": ("pendingSell", seller, self.write_selling, self.new_selling),
        }
        setting = delayed(m, self.write_position, "setting")
        settling = delayed(m, self.settle, "settling")
        for name, (source, venue, strobe, size) in banks.items():
            m.submodules[name] = bank = scanned_rows({name: fields[name]}, self._parameters)
            place = Cat(venue, address.instrument)
            given = command_field(self.message, "SetPosition", source)
            is_settled, value = settled[name]
            m.d.comb += [
                bank.address.eq(place),
                bank.read.eq(self.load),
                getattr(self.holding, name).eq(getattr(bank.row, name)),
                bank.write_address.eq(place),
                bank.write.eq(setting | (settling & is_settled) | delayed(m, strobe, f"writing_{name}")),
                getattr(bank.write_row, name).eq(Mux(setting, given, Mux(settling, value, size))),
            ]
        return m

    def _venues(self, m: Module) -> tuple[Signal, Signal]:
        """The venues in use."""
        seller, buyer = (Signal(self._parameters.venue_bits, name=f"{name}_in_use") for name in ("seller", "buyer"))
        with m.If(self.address.take):
            m.d.sync += [seller.eq(self.address.venue), buyer.eq(self.address.venue)]
        with m.Elif(self.select):
            m.d.sync += [seller.eq(self.seller), buyer.eq(self.buyer)]
        with m.Elif(self.turn):
            m.d.sync += [seller.eq(self.other), buyer.eq(self.other)]
        return seller, buyer

    def _settlement(self, m: Module) -> dict[str, tuple[Value, Value]]:
        """Per field, whether a settlement changes it, and to what."""
        fields, holding = holding_fields(self._parameters), self.holding
        buys, change = Signal(), Signal(signed(len(self.new_buying) + 1))
        position, pending = Signal(fields["position"]), Signal(fields["pending_buy"])
        new_position, new_pending = Signal.like(position), Signal.like(pending)
        side = command_field(self.message, "Settle", "side")
        released = command_field(self.message, "Settle", "released")
        filled = command_field(self.message, "Settle", "filled")
        with m.If(self.load):
            m.d.sync += buys.eq(side == int(Side.BUY))
        with m.If(self.settle_select):
            m.d.sync += [
                position.eq(holding.position),
                pending.eq(Mux(buys, holding.pending_buy, holding.pending_sell)),
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
