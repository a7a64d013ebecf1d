"""Signatures of requests: HMAC-SHA256 with a shared secret, or Ed25519 with a private key.

Source: "Request security" of Binance's REST and WebSocket API documentation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final, Protocol

from market.errors import Fatal, MissingExtra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_PEM: Final = "PRIVATE KEY"


class Signer(Protocol):
    """Signs what is sent to a venue."""

    @property
    def can_log_on(self) -> bool:
        """Whether the venue takes it for a session, so that later messages need no signature."""

    def begun(self, beginning: bytes) -> Signer:
        """A signer of texts that all begin the same, for which that part is hashed already."""

    def sign(self, rest: bytes) -> str:
        """The signature, in letters that need no quoting in JSON."""


class HmacSigner:
    """Signs by HMAC-SHA256; about 1 us."""

    can_log_on = False

    def __init__(self, secret: str, state: hmac.HMAC | None = None) -> None:
        self._state = state or hmac.new(secret.encode(), digestmod=hashlib.sha256)

    def begun(self, beginning: bytes) -> HmacSigner:
        """A signer whose state has taken in the beginning."""
        state = self._state.copy()
        state.update(beginning)
        return HmacSigner("", state)

    def sign(self, rest: bytes) -> str:
        """64 hexadecimal digits."""
        state = self._state.copy()
        state.update(rest)
        return state.hexdigest()


class Ed25519Signer:
    """Signs by Ed25519; about 30 us, for which reason one logs on with it once."""

    can_log_on = True

    def __init__(self, key: Ed25519PrivateKey, beginning: bytes = b"") -> None:
        self._key = key
        self._beginning = beginning

    def begun(self, beginning: bytes) -> Ed25519Signer:
        """A signer that puts the beginning before every text."""
        return Ed25519Signer(self._key, self._beginning + beginning)

    def sign(self, rest: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._key.sign(self._beginning + rest)).decode()


def signer(secret: str) -> Signer:
    """The signer of a secret: Ed25519 for a private key in PEM, HMAC for any other text.

    Raises Fatal for a private key of another kind, never naming it; MissingExtra without ``cryptography``.
    """
    if _PEM not in secret:
        return HmacSigner(secret)
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ModuleNotFoundError as error:
        raise MissingExtra("an Ed25519 key needs cryptography: pip install 'tickwire[live]'") from error
    try:
        key = load_pem_private_key(secret.encode(), password=None)
    except ValueError:
        raise Fatal("the private key cannot be read; expected an Ed25519 key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Fatal(f"the private key was a {type(key).__name__}; expected an Ed25519 key")
    return Ed25519Signer(key)
