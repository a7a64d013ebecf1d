"""Instruments as the captures' own definition messages describe them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from market.errors import Rejected
from market.wire.instruments import Instrument
from market.wire.sbe import Decoded, Schema, decode_packet, load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE

_NANO: Final = -9


@dataclass(frozen=True)
class Definition:
    """One instrument as its venue defines it.

    Parameters
    ----------
    tick_sizes: price steps, finest and others. quantity_steps: least amounts and steps of quantities.
    wire_exponent: power of ten of quantity mantissas, 0 where quantities are numbers.
    """

    identity: int
    symbol: str
    tick_sizes: tuple[Decimal, ...]
    quantity_steps: tuple[Decimal, ...]
    wire_exponent: int = 0

    def instrument(self) -> Instrument:
        """The instrument in the finest ticks and lots that its definition speaks of, in the venue's own unit."""
        return Instrument(
            self.identity,
            self.symbol,
            max(map(_decimals, self.tick_sizes), default=0),
            max(map(_decimals, self.quantity_steps), default=0),
            wire_exponent=self.wire_exponent,
        )


def _decimals(step: Decimal) -> int:
    """Digits behind the point."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


@cache
def _schema(path: Path) -> Schema:
    return load_schema(path)


def _decoded(schema: Path, payloads: Iterable[bytes]) -> Iterator[tuple[Mapping[str, Any], Decoded]]:
    """Packet header and message of everything that can be read."""
    for payload in payloads:
        try:
            packet = decode_packet(_schema(schema), payload)
        except Rejected:
            continue  # A damaged packet defines nothing; the decoder of its records counts it.
        for message in packet.messages:
            yield packet.header, message


def _text(value: Any) -> str:
    raw = value if isinstance(value, str) else bytes(value).split(b"\0")[0].decode("ascii", "replace")
    return raw.strip("\0 ")


def _number(value: float | None) -> tuple[Decimal, ...]:
    """A step as venues write it: the shortest decimal that is this double; none if absent or 0."""
    return (Decimal(repr(value)),) if value else ()


def deribit_definitions(payloads: Iterable[bytes]) -> Iterator[Definition]:
    """Definitions in packets of Deribit's legacy multicast; damaged packets are passed over."""
    for _, message in _decoded(DERIBIT_MULTICAST, payloads):
        if message.name in ("Instrument", "InstrumentV2"):
            fields = message.fields
            finer = [step for entry in message.groups.get("tickSteps", []) for step in _number(entry["tickSize"])]
            yield Definition(
                fields["instrumentId"],
                _text(message.data["instrumentName"]),
                (*_number(fields["tickSize"]), *finer),
                (*_number(fields["contractSize"]), *_number(fields["minTradeAmount"])),
            )


def starbase_definitions(payloads: Iterable[bytes]) -> Iterator[Definition]:
    """Definitions in packets of Deribit Starbase; damaged packets are passed over."""
    for _, message in _decoded(DERIBIT_STARBASE, payloads):
        if message.name == "InstrumentDefinition":
            fields = message.fields
            exponent = int(fields["quantityExponent"])
            steps = [_price(fields, "tickSize")]
            steps += [_price(entry, "largeTickSize") for entry in message.groups.get("largeTickSizes", [])]
            yield Definition(
                fields["instrumentId"], _text(fields["name"]), tuple(steps), (Decimal(1).scaleb(exponent),), exponent
            )


def coinbase_definitions(payloads: Iterable[bytes]) -> Iterator[Definition]:
    """Definitions and heads of snapshots in packets of Coinbase Derivatives; quantities are whole contracts."""
    for header, message in _decoded(COINBASE_DERIVATIVES, payloads):
        fields = message.fields
        if message.name.endswith("InstrumentDefinition"):
            identity = fields["instrHeader.instrumentId"]
        elif message.name.endswith("InstrumentSnapshot"):
            identity = header["snapshotInstrumentId"]
        else:
            continue
        steps = tuple(_price(fields, name) for name in ("tickSize", "smallTick") if name in fields)
        yield Definition(identity, _text(fields["symbol"]), steps, ())


def _price(fields: Mapping[str, Any], name: str) -> Decimal:
    """A price field, 0 if absent."""
    return Decimal(int(fields[name])).scaleb(_NANO) if fields[name] else Decimal(0)
