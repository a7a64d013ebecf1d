"""Keys of accounts, and the signatures made with them: HMAC-SHA256 and Ed25519.

Source: the sections on request security of Binance's spot REST and WebSocket API documentation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from market.errors import Fatal, MissingExtra
from sim.exchange.answers import ApiError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FORMAT: Final = re.compile(r"[A-Za-z0-9]{16,64}")
_UNAUTHORISED: Final = int(HTTPStatus.UNAUTHORIZED)
NEEDS_LIVE: Final = "the exchange server needs aiohttp and cryptography: pip install 'tickwire[live]'"


class KeyKind(StrEnum):
    """How requests are signed."""

    HMAC = "hmac"
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an account.

    Parameters
    ----------
    key: what is sent. secret: of HMAC; of Ed25519 the private key in PEM, as the client needs it.
    may_trade, may_withdraw: what it permits; reading is always permitted.
    """

    account: str
    key: str
    kind: KeyKind
    secret: str = field(repr=False)
    may_trade: bool = True
    may_withdraw: bool = False


def hmac_key(account: str, seed: int, *, may_trade: bool = True, may_withdraw: bool = False) -> ApiKey:
    """A key for tests, the same for the same account and seed: it protects nothing."""
    return ApiKey(
        account=account,
        key=_digest("key", KeyKind.HMAC, account, seed).hex(),
        kind=KeyKind.HMAC,
        secret=_digest("secret", KeyKind.HMAC, account, seed).hex(),
        may_trade=may_trade,
        may_withdraw=may_withdraw,
    )


def ed25519_key(account: str, seed: int, *, may_trade: bool = True, may_withdraw: bool = False) -> ApiKey:
    """A key for tests, the same for the same account and seed: it protects nothing. Raises MissingExtra."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    except ModuleNotFoundError as error:
        raise MissingExtra(NEEDS_LIVE) from error
    private = Ed25519PrivateKey.from_private_bytes(_digest("secret", KeyKind.ED25519, account, seed))
    return ApiKey(
        account=account,
        key=_digest("key", KeyKind.ED25519, account, seed).hex(),
        kind=KeyKind.ED25519,
        secret=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        may_trade=may_trade,
        may_withdraw=may_withdraw,
    )


class KeyRing:
    """The keys that a server knows; raises Fatal when one occurs twice."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._private: dict[str, Ed25519PrivateKey] = {}
        for key in keys:
            if key.key in self._keys:
                raise Fatal(f"the key of {key.account} occurs twice")
            self._keys[key.key] = key

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(self._keys.values())

    def find(self, key: str) -> ApiKey:
        """The key that was sent; raises ApiError for none, or one that is unknown."""
        if not _FORMAT.fullmatch(key):
            raise ApiError(-2014, "API-key format invalid.", _UNAUTHORISED)
        found = self._keys.get(key)
        if found is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", _UNAUTHORISED)
        return found

    def check(self, key: ApiKey, payload: str, signature: str) -> None:
        """Raises ApiError unless the signature of a payload is by a key."""
        if not self._is_by(key, payload.encode(), signature):
            raise ApiError(-1022, "Signature for this request is not valid.")

    def _is_by(self, key: ApiKey, payload: bytes, signature: str) -> bool:
        if key.kind is KeyKind.HMAC:
            expected = hmac.new(key.secret.encode(), payload, hashlib.sha256).hexdigest()
            return hmac.compare_digest(expected.encode(), signature.lower().encode())
        try:
            given = base64.b64decode(signature, validate=True)
        except ValueError:
            return False
        return self._is_ed25519(key, payload, given)

    def _is_ed25519(self, key: ApiKey, payload: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        private = self._private.get(key.key)
        if private is None:
            loaded = load_pem_private_key(key.secret.encode(), password=None)
            if not isinstance(loaded, Ed25519PrivateKey):
                raise Fatal(f"the key of {key.account} is not of Ed25519")
            private = self._private[key.key] = loaded
        try:
            private.public_key().verify(signature, payload)
        except InvalidSignature:
            return False
        return True


def _digest(what: str, kind: KeyKind, account: str, seed: int) -> bytes:
    return hashlib.sha256(f"tickwire {what} {kind} {account} {seed}".encode()).digest()
