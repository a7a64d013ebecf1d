"""The time before a run trades: the first market data, and what became of earlier orders."""

from __future__ import annotations

from collections.abc import Callable

from market.errors import MissingInput, Retry
from market.pipeline import layout
from market.protocols import Clock, Feed, FeedStatus, Gateway, MarketKey
from orchestrator.run_loop.desk import Desk
from orchestrator.run_loop.intake import Intake
from orchestrator.run_loop.recovery import Recovery
from orchestrator.run_loop.view import View


class Beginning:
    """Waits until a run can start."""

    def __init__(
        self, feed: Feed, clock: Clock, gateway: Gateway, intake: Intake, view: View, desk: Desk, recovery: Recovery
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._gateway = gateway
        self._intake = intake
        self._view = view
        self._desk = desk
        self._recovery = recovery

    def wait(self, is_stopped: Callable[[], bool]) -> int:
        """Ask about earlier orders, wait for the first record and all answers; returns the time to start at.

        Without earlier orders that is the time of the first record; else now, and what was received until then is in
        the books alone. Raises MissingInput when the feed ends before, Retry when the run is stopped before.
        """
        self._recovery.ask(self._clock.now_ns())
        start_ns = self._first_record_ns(is_stopped)
        return start_ns if self._recovery.is_over else self._wait_for_answers(is_stopped)

    def _first_record_ns(self, is_stopped: Callable[[], bool]) -> int:
        """Wait for the first record; answers that come meanwhile are taken."""
        start_ns = self._intake.start_ns()
        while start_ns is None:
            if all(self._feed.status(source) is FeedStatus.FINISHED for source in range(len(self._feed.sources))):
                names = ", ".join(source.name for source in self._feed.sources)
                raise MissingInput(f"the feed ended without a readable message; its sources were {names}")
            _check_wanted(is_stopped)
            self._take_answers(self._clock.wait_until(self._next_answer_ns()))
            start_ns = self._intake.start_ns()
        self._clock.wait_until(start_ns)
        return start_ns

    def _wait_for_answers(self, is_stopped: Callable[[], bool]) -> int:
        """Wait for the venues' answers about earlier orders; returns the time then."""
        while not self._recovery.is_over:
            _check_wanted(is_stopped)
            due_ns = self._next_answer_ns()
            self._take_into_books(due_ns)
            self._take_answers(self._clock.wait_until(due_ns))
        now_ns = self._clock.now_ns()
        self._take_into_books(now_ns)
        return now_ns

    def _next_answer_ns(self) -> int:
        """When an answer comes, or a question is due."""
        report_ns = self._gateway.next_ns()
        return self._recovery.next_ns if report_ns is None else min(self._recovery.next_ns, report_ns)

    def _take_answers(self, now_ns: int) -> None:
        report_ns = self._gateway.next_ns()
        if report_ns is not None and report_ns <= now_ns:
            self._desk.take_reports(now_ns)
        self._recovery.check(now_ns)

    def _take_into_books(self, before_ns: int) -> None:
        """Apply records that have been received to their books, unseen by the fast loop."""
        while (source := self._intake.next(before_ns)) >= 0:
            self._clock.wait_until(int(self._intake.event[layout.EVENT_TIME]))
            if self._intake.event[layout.EVENT_TYPE] == layout.QUOTE_EVENT:
                keep_quote(self._view, self._intake, source)


def keep_quote(view: View, intake: Intake, source: int) -> MarketKey:
    """Keep the quote event that the intake found; a withdrawn one may mean that the book must be asked for."""
    event = intake.event
    key = view.take_quote(event)
    if event[layout.EVENT_BID_QUANTITY] == 0 and event[layout.EVENT_ASK_QUANTITY] == 0:
        intake.request_lost_book(source)
    return key


def _check_wanted(is_stopped: Callable[[], bool]) -> None:
    """Raises Retry when the run was stopped while it waited to begin."""
    if is_stopped():
        raise Retry("the run was stopped before it had begun: market data or answers of venues had not come")
