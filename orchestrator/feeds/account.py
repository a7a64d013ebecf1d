"""Where every message of a source is: received, waiting, taken by the loop, decoded or refused."""

from __future__ import annotations

import msgspec

from market.wire.records import Kind, Reject, Words
from market.wire.timeliness import BY_KIND, BY_REASON

_OF_MESSAGES = (Kind.IGNORED, Kind.DIFF, Kind.QUOTE, Kind.TRADE)
"""What messages of a stream become; SNAPSHOT and GAP records are of fetched books and of breaks."""


class MessageAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one source since its start.

    Parameters
    ----------
    received: whole messages that came over its connections. waiting: of these, not taken by the loop.
    taken: of the connection that is followed. standby: of the one in reserve.
    repeated: decoded once more, to make a book anew. decoded: records by kind. rejected: by reason.
    """

    source: str
    received: int
    waiting: int
    taken: int
    standby: int
    repeated: int
    decoded: dict[str, int]
    rejected: dict[str, int]

    @property
    def lost(self) -> int:
        """Messages that were received and are nowhere; less than 0 if there are more than there were."""
        return self.received - self.waiting - self.taken - self.standby

    @property
    def undecoded(self) -> int:
        """Messages of which no record was made, where a format makes one record of each, as Binance's JSON does."""
        records = sum(self.decoded[kind.name] for kind in _OF_MESSAGES) + sum(self.rejected.values())
        return self.taken + self.repeated - records


def counted(statistics: Words) -> tuple[dict[str, int], dict[str, int]]:
    """Records by kind and refused messages by reason, of ``market.wire.timeliness`` statistics."""
    kinds = {kind.name: int(statistics[BY_KIND + kind]) for kind in Kind if kind is not Kind.REJECTED}
    reasons = {reason.name: int(statistics[BY_REASON + reason]) for reason in Reject if reason is not Reject.NONE}
    return kinds, {name: count for name, count in reasons.items() if count}
