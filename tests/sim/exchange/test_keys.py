"""Keys and signatures."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from market.errors import Fatal
from sim.exchange.answers import ApiError
from sim.exchange.keys import ApiKey, KeyKind, KeyRing, ed25519_key, hmac_key

PUBLISHED = ApiKey(
    account="example",
    key="vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    kind=KeyKind.HMAC,
    secret="NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
)
PAYLOAD = (
    "apiKey=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A&newOrderRespType=ACK&price=52000.00"
    "&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT"
)
SIGNATURE = "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"
"""The example of Binance's documentation of request security."""


def test_the_published_signature_is_right_in_either_case() -> None:
    ring = KeyRing([PUBLISHED])
    ring.check(ring.find(PUBLISHED.key), PAYLOAD, SIGNATURE)
    ring.check(PUBLISHED, PAYLOAD, SIGNATURE.upper())


@pytest.mark.parametrize("signature", ["", "00", SIGNATURE[:-1] + "b", "ä"])
def test_other_hmac_signatures_are_refused(signature: str) -> None:
    with pytest.raises(ApiError, match="-1022"):
        KeyRing([PUBLISHED]).check(PUBLISHED, PAYLOAD, signature)


def test_ed25519_signatures_are_checked() -> None:
    key = ed25519_key("ada", seed=1)
    private = load_pem_private_key(key.secret.encode(), password=None)
    assert isinstance(private, Ed25519PrivateKey)
    ring = KeyRing([key])
    signature = private.sign(PAYLOAD.encode())
    ring.check(key, PAYLOAD, base64.b64encode(signature).decode())
    for wrong in (bytes(64), signature[:-1]):
        with pytest.raises(ApiError, match="-1022"):
            ring.check(key, PAYLOAD, base64.b64encode(wrong).decode())
    for text in ("?", "ä", "abc"):
        with pytest.raises(ApiError, match="-1022"):
            ring.check(key, PAYLOAD, text)


def test_unknown_keys_are_refused() -> None:
    ring = KeyRing([PUBLISHED])
    with pytest.raises(ApiError, match="-2014"):
        ring.find("too short")
    with pytest.raises(ApiError, match="-2015"):
        ring.find("a" * 64)


def test_test_keys_are_the_same_again_and_differ_by_account_and_seed() -> None:
    assert hmac_key("ada", 1) == hmac_key("ada", 1)
    keys = [make(account, seed) for make in (hmac_key, ed25519_key) for account in ("ada", "ben") for seed in (1, 2)]
    assert len({key.key for key in keys}) == len({key.secret for key in keys}) == len(keys)


def test_secrets_are_not_shown() -> None:
    key = hmac_key("ada", 1)
    assert key.secret not in repr(key)


def test_a_key_occurs_once() -> None:
    with pytest.raises(Fatal, match="twice"):
        KeyRing([PUBLISHED, PUBLISHED])
