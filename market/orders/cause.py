"""What an order is for, and the client order id that follows from it.

The same cause gives the same id, in whatever run or mode, so sending an order again can never make a second one;
and an id that a venue shows after a crash tells which decision it belongs to.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

import msgspec

from market.errors import Rejected

LONGEST_ID: Final = 36
"""Binance: 36 characters of A-Z, a-z, 0-9, hyphen and underscore."""
LONGEST_TAG: Final = 10
LARGEST_EPOCH: Final = (1 << 32) - 1
LARGEST_NUMBER: Final = (1 << 64) - 1
LARGEST_LEG: Final = 36**2 - 1
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_TAG: Final = re.compile(rf"[A-Za-z0-9_]{{1,{LONGEST_TAG}}}")
_ID: Final = re.compile(rf"({_TAG.pattern})-([td])([0-9a-z]{{1,7}})-([0-9a-z]{{1,13}})-([0-9a-z]{{1,2}})")


class Origin(StrEnum):
    """Who decided."""

    TRIGGER = "t"
    """The fast loop: epoch, number and leg are those of its trigger."""
    DECISION = "d"
    """A strategy by itself: the number counts its decisions of this epoch."""


class Cause(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """The decision that an order carries out.

    Parameters
    ----------
    strategy: tag of 1 to 10 letters, digits and underscores.
    epoch: of the trigger, or of the run, below 2^32; never used again by a later run.
    number: id of the trigger or number of the decision, below 2^64.
    leg: 0 for the first order of the decision; below 1,296.

    Raises Rejected for a value outside its range.
    """

    strategy: str
    origin: Origin
    epoch: int
    number: int
    leg: int = 0

    def __post_init__(self) -> None:
        if not _TAG.fullmatch(self.strategy):
            raise Rejected(
                f"strategy tag was {self.strategy!r}; expected 1 to {LONGEST_TAG} letters, digits or underscores"
            )
        limits = (("epoch", LARGEST_EPOCH), ("number", LARGEST_NUMBER), ("leg", LARGEST_LEG))
        for name, most in limits:
            if not 0 <= getattr(self, name) <= most:
                raise Rejected(f"{name} of a cause was {getattr(self, name)}; expected 0 to {most}")

    @property
    def client_order_id(self) -> str:
        """``tag-<origin><epoch>-<number>-<leg>``, numbers in base 36: at most 36 characters."""
        return f"{self.strategy}-{self.origin}{_base36(self.epoch)}-{_base36(self.number)}-{_base36(self.leg)}"


def parse_client_order_id(text: str) -> Cause:
    """The cause behind one of our ids; raises Rejected for an id that is not ours."""
    found = _ID.fullmatch(text)
    if found is None:
        raise Rejected(f"client order id was {text!r}; expected one of ours, such as 'arb-t1-2s-0'")
    tag, origin, epoch, number, leg = found.groups()
    cause = Cause(strategy=tag, origin=Origin(origin), epoch=int(epoch, 36), number=int(number, 36), leg=int(leg, 36))
    if cause.client_order_id != text:
        raise Rejected(f"client order id was {text!r}; ours would be written {cause.client_order_id!r}")
    return cause


def _base36(number: int) -> str:
    text = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return _DIGITS[number] + text
