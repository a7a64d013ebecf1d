"""What a run decided, as one hash: the same in a backtest, on paper and on any machine that heard the same events."""

from __future__ import annotations

import hashlib

import msgspec

from market.orders.events import CancelRequested
from orchestrator.run_loop.journal import MemoryJournal


def decisions_hash(journal: MemoryJournal) -> str:
    """SHA-256 over every order that was wanted, with its time, terms and reason, and every cancellation, in order."""
    digest = hashlib.sha256()
    for intent in journal.intents:
        digest.update(msgspec.msgpack.encode(intent))
    for name, event in journal.events:
        if isinstance(event, CancelRequested):
            digest.update(name.encode() + msgspec.msgpack.encode(event))
    return digest.hexdigest()
