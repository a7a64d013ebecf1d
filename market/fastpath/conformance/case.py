"""What a conformance case is: build sizes, steps with their expected outputs, and the expected end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market.fastpath.conformance.rules import Rule
from market.fastpath.specification import EngineSizes
from market.wire.sbe import encode, load_schema

SCHEMA = load_schema(Path(__file__).parent.parent / "messages.xml")


LINE_MESSAGES = frozenset({"LineRow", "BookRow", "BookClear", "BookOrder", "BookReady"})
"""Control messages about lines and books."""


@dataclass(frozen=True)
class Control:
    """A control message by name and fields, as the schema names them."""

    message: str
    fields: Mapping[str, Any]

    def payload(self) -> bytes:
        """The message's bytes."""
        return encode(SCHEMA, self.message, self.fields)


@dataclass(frozen=True)
class RawControl:
    """A control message as bytes, for those that no schema would write."""

    message: bytes

    def payload(self) -> bytes:
        """The message's bytes."""
        return self.message


@dataclass(frozen=True)
class Quote:
    """A top-of-book event; mantissas."""

    instrument: int
    venue: int
    price_exponent: int
    quantity_exponent: int
    sequence: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int


@dataclass(frozen=True)
class Trade:
    """A trade event; mantissas."""

    instrument: int
    venue: int
    price_exponent: int
    quantity_exponent: int
    aggressor: int
    price: int
    quantity: int


@dataclass(frozen=True)
class Frame:
    """An Ethernet frame with its FCS."""

    octets: bytes


Input = Control | RawControl | Quote | Trade | Frame


@dataclass(frozen=True)
class Step:
    """One input at a time in ns, and the payloads that it makes the engine send."""

    at_ns: int
    input: Input
    outputs: tuple[bytes, ...]


@dataclass(frozen=True)
class End:
    """What holds after the last step; the hashes are SHA-256, the log's over its messages in order.

    ``frame_counters`` is the message of that name as hex where frames were fed, else empty.
    """

    counters: Mapping[str, int]
    frame_counters: str
    parity: int
    decision_hash: str
    event_log_hash: str


@dataclass(frozen=True)
class Case:
    """One case; ``rules`` are those that it would not pass if they were broken."""

    name: str
    about: str
    rules: tuple[Rule, ...]
    sizes: EngineSizes
    steps: tuple[Step, ...]
    end: End

    @property
    def line_feeds(self) -> frozenset[int]:
        """The feeds of the lines that the case follows."""
        controls = [step.input for step in self.steps if isinstance(step.input, Control)]
        return frozenset(int(one.fields["feed"]) for one in controls if one.message == "LineRow")

    @property
    def has_lines(self) -> bool:
        """Whether the case is about numbered feeds, which a build may leave out."""
        return any(isinstance(step.input, Control) and step.input.message in LINE_MESSAGES for step in self.steps)
