"""Signatures of requests: HMAC-SHA256 with a shared secret, or Ed25519 with a private key.

Source: "Request security" of Binance's REST and WebSocket API documentation.
"""

from __future__ import annotations

import base64
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

    def sign(self, text: bytes) -> str:
        """The signature, in letters that need no quoting in JSON."""


class HmacSigner:
    """Signs by HMAC-SHA256; about 1 us."""

    can_log_on = False

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def sign(self, text: bytes) -> str:
        """64 hexadecimal digits."""
        return hmac.digest(self._secret, text, "sha256").hex()


class Ed25519Signer:
    """Signs by Ed25519; about 30 us, for which reason one logs on with it once."""

    can_log_on = True

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def sign(self, text: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._key.sign(text)).decode()


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
