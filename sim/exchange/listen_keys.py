"""Listen keys: what futures know a subscription to user data by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call
from sim.exchange.numbers import ms

VALID_NS: Final = 3_600 * 10**9


@dataclass(slots=True)
class _Entry:
    account: str
    until_ns: int


class ListenKeys:
    """The keys of a venue: one per account at a time, valid for an hour after it was last asked for.

    Parameters
    ----------
    expired: told of every key that has run out, with the account and the time.
    """

    def __init__(self, expired: Callable[[str, str, int], None]) -> None:
        self._expired = expired
        self._entries: dict[str, _Entry] = {}
        self._made = 0

    def create(self, call: Call) -> Json:
        """The account's key, new or as it was, valid from now on."""
        for key, entry in self._entries.items():
            if entry.account == call.account:
                entry.until_ns = call.now_ns + VALID_NS
                return {"listenKey": key}
        self._made += 1
        digest = hashlib.sha256(f"listen key {call.account} {self._made}".encode()).hexdigest()
        self._entries[digest] = _Entry(call.account, call.now_ns + VALID_NS)
        return {"listenKey": digest}

    def prolong(self, call: Call) -> Json:
        """Make the account's key valid for another hour."""
        key = self._of(call.account)
        self._entries[key].until_ns = call.now_ns + VALID_NS
        return {"listenKey": key}

    def delete(self, call: Call) -> Json:
        """End the account's key."""
        del self._entries[self._of(call.account)]
        return {}

    def account(self, key: str) -> str:
        """Whose key it is; raises ApiError for one that does not exist or has run out."""
        if key not in self._entries:
            raise _no_such_key()
        return self._entries[key].account

    def expire(self, now_ns: int, *, every: bool = False) -> None:
        """End the keys that have run out, or every key."""
        for key, entry in tuple(self._entries.items()):
            if every or now_ns >= entry.until_ns:
                del self._entries[key]
                self._expired(key, entry.account, now_ns)

    def _of(self, account: str) -> str:
        for key, entry in self._entries.items():
            if entry.account == account:
                return key
        raise _no_such_key()


def expired_event(key: str, server_ns: int) -> dict[str, Json]:
    """What a connection is told of a key that has run out."""
    return {"e": "listenKeyExpired", "E": ms(server_ns), "listenKey": key}


def _no_such_key() -> ApiError:
    return ApiError(-1125, "This listenKey does not exist.")
