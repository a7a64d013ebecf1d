"""Messages that are built beforehand are those that the venue expects, and their signatures hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from orchestrator.execution.message_template import MessageTemplate
from orchestrator.execution.signing import signer

CONSTANTS = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "recvWindow": "5000", "apiKey": "a%sKEY"}
names = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)
values = st.text("0123456789abcXYZ.-_", min_size=1, max_size=20)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def parts(message: bytes) -> tuple[dict[str, object], dict[str, object], str]:
    """The message, its parameters without the signature, and the signature."""
    decoded = json.loads(message)
    parameters = dict(decoded["params"])
    return decoded, parameters, str(parameters.pop("signature", ""))


def signed_text(parameters: dict[str, object]) -> bytes:
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters)).encode()


@given(
    constants=st.dictionaries(names, values, max_size=6),
    variables=st.dictionaries(names, st.tuples(values, values), max_size=6),
)
@settings(derandomize=True, deadline=None)
def test_every_gap_gets_its_value_and_the_signature_is_over_all(
    constants: dict[str, str], variables: dict[str, tuple[str, str]]
) -> None:
    reserved = {"timestamp", "signature", "recvWindow"}
    constants = {**CONSTANTS, **{k: v for k, v in constants.items() if k not in variables and k not in reserved}}
    gaps = [name for name in variables if name not in CONSTANTS and name not in reserved]
    template = MessageTemplate("order.place", {k: v for k, v in constants.items() if k not in gaps}, gaps, signer("S"))
    for turn in (0, 1):
        given_values = [variables[name][turn] for name in gaps]
        decoded, parameters, signature = parts(template.message("7", given_values, 1_700_000_000_000 + turn))
        assert (decoded["id"], decoded["method"]) == ("7", "order.place")
        assert {name: parameters[name] for name in gaps} == dict(zip(gaps, given_values, strict=True))
        assert (parameters["timestamp"], parameters["recvWindow"]) == (1_700_000_000_000 + turn, 5_000)
        assert signature == hmac.new(b"S", signed_text(parameters), hashlib.sha256).hexdigest()


def test_a_session_that_is_logged_on_signs_nothing() -> None:
    message = MessageTemplate("order.place", {"symbol": "BTCUSDT"}, ["quantity"], None).message("1", ["2"], 3)
    _, parameters, signature = parts(message)
    assert parameters == {"symbol": "BTCUSDT", "quantity": "2", "timestamp": 3}
    assert signature == ""


def test_ed25519_signs_for_a_session() -> None:
    made = signer(PEM)
    assert made.can_log_on
    message = MessageTemplate("session.logon", {"apiKey": "K", "recvWindow": "5000"}, (), made).message("1", (), 3)
    _, parameters, signature = parts(message)
    PRIVATE.public_key().verify(base64.b64decode(signature), signed_text(parameters))
    assert not signer("S").can_log_on


def test_keys_that_cannot_be_used_are_refused_without_being_named() -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    first, body, *rest = PEM.splitlines()
    broken = "\n".join([first, body[::-1], *rest])
    for secret in (other, broken):
        with pytest.raises(Fatal, match="expected an Ed25519 key") as refused:
            signer(secret)
        assert not any(line in str(refused.value) for line in secret.splitlines())
