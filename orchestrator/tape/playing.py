"""Clock, feed, gateway and distant engine that answer as a tape says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np

from market.errors import DataGap, Fatal, Rejected, Retry
from market.orders.order import Order
from market.orders.reports import GatewayReport
from market.protocols import FeedStatus
from market.wire.records import CURSOR_ASKS, CURSOR_BIDS, CURSOR_RECORDS, WIDTH, Batch, Words
from orchestrator.engine.inputs import Input
from orchestrator.tape.calls import (
    Asked,
    Call,
    Head,
    Market,
    NextReport,
    Noted,
    Now,
    Received,
    Reports,
    Route,
    Source,
    Status,
    Taken,
    Waited,
)

_C = TypeVar("_C", bound=Call)
_T = TypeVar("_T")
_ERRORS: Final = {"Retry": Retry, "Rejected": Rejected}


class TapeEnded(Exception):
    """The run made a call that is not on its tape any more: here the recorded run was stopped."""


class Tape:
    """The calls of a tape, one after the other.

    Attributes
    ----------
    played: calls so far.
    """

    def __init__(self, calls: Iterator[Call]) -> None:
        self.played = 0
        self._calls = calls

    def answer(self, kind: type[_C], **about: int | str) -> _C:
        """The next call, which must be of that kind and about the same.

        Raises Fatal for another one: the program is not the one that made the tape, or it depends on something that no
        tape holds. Raises TapeEnded at the end.
        """
        call = next(self._calls, None)
        if call is None:
            raise TapeEnded(f"after {self.played:,} calls")
        self.played += 1
        differs = [name for name, value in about.items() if getattr(call, name, value) != value]
        if not isinstance(call, kind) or differs:
            seen = {name: getattr(call, name, None) for name in about}
            raise Fatal(
                f"call {self.played:,} of the run was {kind.__name__} {about}; the tape has {type(call).__name__} "
                f"{seen}: this program decides otherwise than the one that recorded it"
            )
        return call

    def carry_out(self, call: str, about: str) -> None:
        """A call without an answer; raises what the recorded one raised."""
        asked = self.answer(Asked, call=call, about=about)
        if asked.error:
            raise _ERRORS[asked.error](asked.text)


def played_value(tape: Tape, name: str, kind: type[_T]) -> Callable[[], _T]:
    """A function that gives the values of then."""
    return lambda: msgspec.msgpack.decode(tape.answer(Noted, name=name).body, type=kind)


class PlayedClock:
    """The clock of a tape."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def now_ns(self) -> int:
        """The time then."""
        return self._tape.answer(Now).time_ns

    def wait_until(self, time_ns: int) -> int:
        """Not a moment; the time that was reached then."""
        return self._tape.answer(Waited, until_ns=time_ns).time_ns


class PlayedSource:
    """A source of a tape, as ``market.protocols.FeedSource``."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def name(self) -> str:
        """As recorded."""
        return self._source.name

    @property
    def numbered(self) -> bool:
        """As recorded."""
        return self._source.numbered

    @property
    def markets(self) -> Sequence[Market]:
        """As recorded."""
        return self._source.markets

    @property
    def routes(self) -> Sequence[Route | None]:
        """As recorded."""
        return self._source.routes

    def new_books(self) -> Words:
        """Books as they were at the start."""
        return np.frombuffer(self._source.books, dtype="<i8").astype(np.int64)


class PlayedFeed:
    """The feed of a tape."""

    def __init__(self, head: Head, tape: Tape) -> None:
        self._tape = tape
        self._sources = tuple(PlayedSource(source) for source in head.sources)

    @property
    def sources(self) -> Sequence[PlayedSource]:
        """As recorded."""
        return self._sources

    def take(self, source: int) -> Batch | None:
        """The batch that was taken then."""
        taken = self._tape.answer(Taken, source=source)
        if taken.records is None or taken.bids is None or taken.asks is None:
            return None
        rows = np.frombuffer(taken.records, dtype="<i8").reshape(-1, WIDTH)
        bids, asks = (np.frombuffer(side, dtype="<i8").reshape(-1, 2) for side in (taken.bids, taken.asks))
        batch = Batch(max(len(rows), 1), max(len(bids), len(asks), 1))
        batch.records[: len(rows)], batch.bids[: len(bids)], batch.asks[: len(asks)] = rows, bids, asks
        batch.cursor[[CURSOR_RECORDS, CURSOR_BIDS, CURSOR_ASKS]] = len(rows), len(bids), len(asks)
        return batch

    def status(self, source: int) -> FeedStatus:
        """The state then."""
        return FeedStatus(self._tape.answer(Status, source=source).status)

    def request_snapshot(self, source: int, market: int) -> None:
        """Nothing; it was asked for then."""
        self._tape.carry_out("request_snapshot", f"{source} {market}")


class PlayedGateway:
    """The gateway of a tape: nothing is sent."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def submit(self, order: Order) -> None:
        """As it went then."""
        self._tape.carry_out("submit", order.client_order_id)

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """As it went then."""
        self._tape.carry_out("submit_oco", f"{limit.client_order_id} {stop.client_order_id}")

    def cancel(self, order: Order) -> None:
        """As it went then."""
        self._tape.carry_out("cancel", order.client_order_id)

    def query(self, order: Order) -> None:
        """As it went then."""
        self._tape.carry_out("query", order.client_order_id)

    def request_open_orders(self, venue: int) -> None:
        """As it went then."""
        self._tape.carry_out("request_open_orders", str(venue))

    def request_balances(self, venue: int) -> None:
        """As it went then."""
        self._tape.carry_out("request_balances", str(venue))

    def request_positions(self, venue: int) -> None:
        """As it went then."""
        self._tape.carry_out("request_positions", str(venue))

    def next_ns(self) -> int | None:
        """What it said then."""
        return self._tape.answer(NextReport).time_ns

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """The reports of then; raises DataGap where one came."""
        reports = self._tape.answer(Reports, until_ns=until_ns)
        if reports.gap:
            raise DataGap(reports.gap)
        return reports.reports


class PlayedBackEnd:
    """The distant engine of a tape."""

    name: Final = "the engine of the tape"

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def send(self, given: Input) -> None:
        """As it went then."""
        self._tape.carry_out("send", given.kind.name)

    def receive(self) -> Sequence[bytes]:
        """The messages of then; raises Retry where the engine was lost."""
        received = self._tape.answer(Received)
        if received.loss:
            raise Retry(received.loss)
        return received.messages

    def wait(self, seconds: float) -> None:
        """Not a moment."""

    def close(self) -> None:
        """Nothing."""
