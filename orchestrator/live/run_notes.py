"""What a live run says and writes down of what happens to it."""

from __future__ import annotations

from collections.abc import Callable

from market.instruments import Listing
from orchestrator.feeds.venue_watch import OnDeviation
from orchestrator.risk.supervisor import GuardChange
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.records import Area

Say = Callable[[str], None]


def deviation_note(journal: JournalFile, say: Say) -> OnDeviation:
    """Says and writes down that prices of venues do not fit together, or do again."""

    def on_deviation(now_ns: int, pair: str, fits: bool, detail: str) -> None:
        before, after = ("apart", "together") if fits else ("together", "apart")
        say(f"{pair}: {detail}")
        journal.changed(now_ns, Area.FEED, pair, before, after, detail)

    return on_deviation


def note_guard(journal: JournalFile, change: GuardChange, say: Say) -> None:
    """Says and writes down that trading was paused, halted or resumed, and every further reason."""
    if change.before is not change.after:
        say(f"trading {change.before.name.lower()} -> {change.after.name.lower()}: {change.reason}")
    journal.changed(change.time_ns, Area.RISK, "guard", change.before.name, change.after.name, change.reason)


def rules_note(journal: JournalFile, say: Say) -> Callable[[int, Listing, str, str], None]:
    """Says and writes down that a venue trades a market otherwise than at the start, or as it did again."""

    def note(time_ns: int, listing: Listing, before: str, after: str) -> None:
        text = after or f"{listing} is traded as before"
        say(f"MARKET RULES: {text}")
        journal.changed(time_ns, Area.RISK, str(listing), before or "as before", after or "as before", text)
        journal.audit(time_ns, "venue", "market rules", text)

    return note
