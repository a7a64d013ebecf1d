"""The host's side of the fast loop: events in, triggers out, control messages in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from market.engine import Engine
from market.errors import Fatal
from market.fastpath import state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA, TEMPLATE_TRIGGER
from market.fastpath.specification import NO_VENUE, Kind, Refusal, Result
from market.orders.kinds import Side
from market.pipeline import layout
from market.protocols import Journal, Leg, MarketKey, Trigger
from market.risk.room import Standing
from market.wire.records import Words
from market.wire.sbe import decode, encode
from orchestrator.engine.fence import TriggerFence
from orchestrator.engine.link import EngineLink
from sim.replay.arming import arm

_QUOTE_FIELDS: Final = slice(layout.EVENT_INSTRUMENT, layout.EVENT_TIME + 1)
_TEMPLATE: Final = slice(2, 4)
_TEMPLATE_ACKNOWLEDGE: Final = SCHEMA.message("Acknowledge").template_id


class FastLoop:
    """One armed engine.

    Parameters
    ----------
    tables: table rows as control messages, numbered from 2.
    epoch: of this run; never used before.
    """

    def __init__(self, engine: Engine, tables: Sequence[bytes], epoch: int, journal: Journal) -> None:
        self._engine = engine
        self._tables = tuple(tables)
        self._epoch = epoch
        self._journal = journal
        self._quick = engine if isinstance(engine, CpuEngine) else None
        self._link = engine if isinstance(engine, EngineLink) else None
        self._fence = TriggerFence(epoch)
        self._was_taken_over = False
        self._sequence = 0
        self._last_id = 0
        self._unanswered: dict[int, tuple[str, MarketKey | None]] = {}
        self._outdated: set[MarketKey] = set()
        self._has_outputs = False

    def arm(self, time_ns: int) -> None:
        """Send the tables and arm the engine; raises Fatal for a message that it refuses."""
        self._sequence, answers = arm(self._engine, self._tables, time_ns, epoch=self._epoch)
        self._journal.decisions(answers)

    def feed(self, event: Words) -> None:
        """Take one event of ``Intake``."""
        if event[layout.EVENT_TYPE] == layout.TRADE_EVENT:
            self._trade(event.tolist())
            self._has_outputs |= self._quick is None or int(self._quick.state[state.OUTPUT_USED]) > 0
        elif self._quick is not None:
            self._has_outputs |= self._quick.push_quote(tuple(event[_QUOTE_FIELDS].tolist())) > 0
        else:
            self._engine.push_quotes(event[_QUOTE_FIELDS].reshape(1, -1).copy())
            self._has_outputs = True

    @property
    def words(self) -> Words | None:
        """State of the compiled engine, which others may feed with events; None for an engine elsewhere."""
        return None if self._quick is None else self._quick.state

    def was_fed(self) -> None:
        """Somebody else fed events to the compiled engine: look whether it has said anything."""
        self._has_outputs |= self._quick is not None and int(self._quick.state[state.OUTPUT_USED]) > 0

    def heartbeat(self, time_ns: int) -> None:
        """Renew the lease."""
        self._control("Heartbeat", {}, time_ns)

    def kill(self, time_ns: int) -> None:
        """Stop all triggers from here on."""
        self._control("Kill", {}, time_ns)

    def settle(self, key: MarketKey, side: Side, released: int, filled: int, time_ns: int) -> None:
        """Tell what became of a part of a trigger's leg."""
        values = {"instrument": key[0], "venue": key[1], "side": int(side), "released": released, "filled": filled}
        self._control("Settle", values, time_ns)

    def set_position(self, key: MarketKey, standing: Standing, time_ns: int) -> None:
        """State position and pendings anew; ``take_outdated`` tells when a trigger came between."""
        values = {
            "lastId": self._last_id,
            "instrument": key[0],
            "venue": key[1],
            "position": standing.position,
            "pendingBuy": standing.pending_buy,
            "pendingSell": standing.pending_sell,
        }
        self._control("SetPosition", values, time_ns, key)

    def state_row(self, name: str, row: Mapping[str, Any], time_ns: int) -> None:
        """State a table row anew, while armed; quotes, positions and pendings stay."""
        self._control(name, row, time_ns)

    def take_outdated(self) -> list[MarketKey]:
        """Markets whose position was refused since the engine had sent a newer trigger; to be stated again."""
        outdated, self._outdated = sorted(self._outdated), set()
        return outdated

    @property
    def has_news(self) -> bool:
        """Whether ``triggers`` or ``take_outdated`` may have something; an engine elsewhere may at any time."""
        return self._has_outputs or self._quick is None or bool(self._outdated)

    def triggers(self) -> Iterator[Trigger]:
        """Triggers that have not been looked at, in order; those that come while they are answered follow."""
        self._has_outputs |= self._quick is None
        while self._has_outputs:
            self._has_outputs = False
            payloads = self._engine.outputs()
            if payloads:
                self._journal.decisions(payloads)
            for payload in payloads:
                template = int.from_bytes(payload[_TEMPLATE], "little")
                if template == TEMPLATE_TRIGGER:
                    trigger = decode_trigger(payload)
                    self._last_id = max(self._last_id, trigger.id)
                    if self._fence.admits(trigger.epoch, trigger.id):
                        yield trigger
                elif template == _TEMPLATE_ACKNOWLEDGE:
                    self._take_answer(payload)

    def unknown_fate(self) -> Iterator[Trigger]:
        """Triggers that an engine which was replaced may or may not have sent; they are never acted upon."""
        for payload in () if self._link is None else self._link.take_unknown_fate():
            trigger = decode_trigger(payload)
            self._last_id = max(self._last_id, trigger.id)
            self._fence.skip(trigger.id)
            yield trigger

    def take_takeover(self) -> bool:
        """Whether the engine was replaced since the last call, so that all positions must be stated anew."""
        before, self._was_taken_over = self._was_taken_over, self._was_replaced
        return self._was_taken_over and not before

    @property
    def ignored(self) -> int:
        """Triggers that came again, or from an engine that had been replaced."""
        return self._fence.ignored

    @property
    def decision_hash(self) -> str:
        """SHA-256 over all triggers and status messages."""
        return self._engine.decision_hash

    @property
    def parity(self) -> int:
        """CRC-32 over all triggers."""
        return self._engine.parity

    @property
    def counters(self) -> dict[str, int]:
        """The engine's counters by their names in a status message."""
        return dict(self._engine.counters)

    @property
    def _was_replaced(self) -> bool:
        """Whether a shadow decides now; positions are stated to it anew, so what it refused before does not matter."""
        return self._link is not None and self._link.takeover is not None

    def _trade(self, event: list[int]) -> None:
        self._engine.trade(
            event[layout.EVENT_INSTRUMENT],
            event[layout.EVENT_VENUE],
            event[layout.EVENT_PRICE_EXPONENT],
            event[layout.EVENT_QUANTITY_EXPONENT],
            event[layout.EVENT_AGGRESSOR],
            event[layout.EVENT_PRICE],
            event[layout.EVENT_QUANTITY],
            event[layout.EVENT_TIME],
        )

    def _control(self, name: str, values: Mapping[str, Any], time_ns: int, key: MarketKey | None = None) -> None:
        self._unanswered[self._sequence] = (name, key)
        self._engine.control(encode(SCHEMA, name, {"sequence": self._sequence, **values}), time_ns)
        self._sequence += 1
        self._has_outputs = True

    def _take_answer(self, payload: bytes) -> None:
        fields = decode(SCHEMA, payload).fields
        name, key = self._unanswered.pop(int(fields["sequence"]), ("", None))
        result, refusal = Result(fields["result"]), Refusal(fields["refusal"])
        if key is not None and result is Result.REFUSED and refusal is Refusal.WRONG_ID:
            self._outdated.add(key)
        elif name and result is not Result.APPLIED and not self._was_replaced:
            raise Fatal(
                f"the fast loop answered {name} {fields['sequence']} with {result.name}, {refusal.name}; expected "
                "APPLIED: host and engine no longer agree on what is pending"
            )


def decode_trigger(payload: bytes) -> Trigger:
    """A trigger payload, header included, as a message."""
    fields = decode(SCHEMA, payload).fields
    legs = tuple(
        Leg(
            venue=fields[f"{place}Venue"],
            side=Side(fields[f"{place}Side"]),
            price=fields[f"{place}Price"],
            quantity=fields[f"{place}Quantity"],
        )
        for place in ("first", "second")
        if fields[f"{place}Venue"] != NO_VENUE
    )
    return Trigger(
        epoch=fields["epoch"],
        id=fields["id"],
        kind=Kind(fields["kind"]),
        instrument=fields["instrument"],
        legs=legs,
        edge=fields["edge"],
        imbalance=fields["imbalance"],
        microprice=fields["microprice"],
        cause_venue=fields["causeVenue"],
        cause_sequence=fields["causeSequence"],
        cause_ns=fields["causeTime"],
    )
