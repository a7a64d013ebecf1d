"""What the verification of a core must have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from market.fastpath.conformance.case import LINE_MESSAGES
from market.fastpath.specification import DropReason, GateReason, Kind, Refusal, RejectReason, Result

_OF_LINES: Final = frozenset({Refusal.BOOK_STATE, Refusal.WRONG_NUMBER, Refusal.BOOK_ORDER})
CONTROL: Final = (
    "Hello",
    "EngineRow",
    "VenueRow",
    "ScalingRow",
    "ChannelRow",
    "InstrumentRow",
    "Heartbeat",
    "Kill",
    "Rearm",
    "Settle",
    "SetPosition",
    "Reset",
    "LoadBasis",
    "LoadIdentity",
    "StatusRequest",
)
TRADE_REJECTS: Final = (RejectReason.UNKNOWN, RejectReason.EXPONENT, RejectReason.RANGE)
TAKEN_BACK: Final = (DropReason.BAD_FCS, DropReason.BAD_IP, DropReason.BAD_UDP, DropReason.BAD_MESSAGE)
"""Why a frame may be dropped behind its deciding byte; that it is not ours is known before."""


class Shape(Enum):
    """Kinds of triggers by their legs, v being the venue whose quote made them."""

    ARB_SOLD = "ARB, v sold"
    ARB_BOUGHT = "ARB, v bought"
    BASIS_RICH = "BASIS, v rich, two legs"
    BASIS_CHEAP = "BASIS, v cheap, two legs"
    LEAD_BUYS = "BASIS, v leads, laggard bought"
    LEAD_SELLS = "BASIS, v leads, laggard sold"
    IMBALANCE_BUYS = "IMBALANCE, bought"
    IMBALANCE_SELLS = "IMBALANCE, sold"


class Corner(Enum):
    """Corners that a test goes to and checks itself."""

    TIE = "equal edges: the lowest venue"
    SAME_AGAIN = "the same quote again: no rise"
    SUPPRESSED_USED_UP = "a suppressed rise is used up"
    FIRST_SAMPLE = "first basis sample"
    LAG_RICH = "the laggard moves, rich: a bit but no candidate"
    LAG_CHEAP = "the laggard moves, cheap: a bit but no candidate"
    STALE = "a quote too old, by one ns"
    SILENT = "a venue silent for too long, by one ns"
    INVALID = "a quote turned invalid"
    LEASE_LAST = "the lease's last ns"
    COOLDOWN_FIRST = "first ns behind a cooldown"
    TOKENS = "as many triggers at once as the tolerance says"
    SIZE_MAXIMUM = "size: maximum quantity"
    SIZE_FIRST = "size: displayed by the first leg"
    SIZE_SECOND = "size: displayed by the second leg"
    POSITION_EXACT = "size equal to a leg's room"
    KILL_PIN = "kill by pin before the gate"
    KILL_PIN_LATE = "kill by pin behind the gate"


class Meeting(Enum):
    """A control message and a frame at the same time, by where the message's last byte lies."""

    BEFORE_PAYLOAD = "in the frame's headers"
    IN_PAYLOAD = "in the frame's payload"
    LAST_BEAT = "with the frame's last beat"
    VERDICT = "in the cycles of the verdict"
    AFTER = "behind the verdict"


class Passage(Enum):
    """How frames came and went."""

    TAGGED = "a tag"
    PADDED = "padding"
    WITH_CHECKSUM = "UDP checksum"
    WITHOUT_CHECKSUM = "no UDP checksum"
    SKIPPED = "a message skipped"
    NO_TRADES = "Trades without entries"
    MANY_TRADES = "Trades that fill a frame"
    WORDS_WAITED = "messages had to wait"
    LOG_WAITED = "the log had to wait"
    LINE_WAITED = "the line was not ready"
    LOG_SPOILED = "a log frame cut short for a trigger"
    STATUS_DUE = "a status that was due"
    FRAME_BACKWARDS = "a frame's time below T"
    CONTROL_BACKWARDS = "a control message's time below T"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a build can do.

    Parameters
    ----------
    lines: numbered feeds with their books.
    """

    lines: bool = False


def goals(abilities: Abilities) -> Mapping[str, list[str]]:
    """Every point that a core with these abilities can be brought to, by group."""
    lines = abilities.lines
    drops = [reason.name for reason in DropReason if lines or reason is not DropReason.DUPLICATE]
    refusals = [refusal.name for refusal in Refusal if refusal and (lines or refusal not in _OF_LINES)]
    return {
        "dropped": drops,
        "trigger taken back": [reason.name for reason in TAKEN_BACK],
        "quote rejected": [reason.name for reason in RejectReason],
        "trade rejected": [reason.name for reason in TRADE_REJECTS],
        "quantity cut": ["bid", "ask", "both", "trade"],
        "trade": ["BUY", "SELL", "NONE"],
        "candidate": [kind.name for kind in Kind],
        "gate": [f"{reason.name} {kind.name}" for reason in GateReason for kind in Kind],
        "trigger": [shape.value for shape in Shape],
        "corner": [corner.value for corner in Corner],
        "control applied": [*CONTROL, *(sorted(LINE_MESSAGES) if lines else [])],
        "control result": [result.name for result in Result],
        "control refused": refusals,
        "control ends": [meeting.value for meeting in Meeting],
        "passage": [passage.value for passage in Passage],
    }
