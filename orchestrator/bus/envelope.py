"""What is around every message: version, publisher, number. Readers refuse a version that they do not know."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import msgspec

from market.errors import Rejected
from orchestrator.bus.messages import CommandMessage, DataMessage, ResponseMessage

VERSION: Final = 1
LONGEST_MESSAGE: Final = 1 << 20
"""Bytes; more are refused unread."""
_M = TypeVar("_M")


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as it travels.

    Parameters
    ----------
    publisher: who sent it; another run or process has another name. sequence: counts its messages of the topic from 1.
    body: the message, as MessagePack.
    """

    version: int
    publisher: str
    sequence: int
    body: msgspec.Raw


class UnknownVersion(Rejected):
    """A message of a version that this program does not know."""


class _VersionOnly(msgspec.Struct):
    version: int


class _IdOnly(msgspec.Struct):
    command_id: str


class Codec(Generic[_M]):
    """Encodes and decodes the messages of one channel.

    Parameters
    ----------
    messages: union of the channel's message types.
    """

    def __init__(self, messages: object) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._version = msgspec.msgpack.Decoder(_VersionOnly)
        self._envelope = msgspec.msgpack.Decoder(Envelope)
        self._body: msgspec.msgpack.Decoder[_M] = msgspec.msgpack.Decoder(messages)
        self._id = msgspec.msgpack.Decoder(_IdOnly)

    def encode(self, message: _M, publisher: str, sequence: int) -> bytes:
        """The bytes of a message."""
        body = msgspec.Raw(self._encoder.encode(message))
        return self._encoder.encode(Envelope(version=VERSION, publisher=publisher, sequence=sequence, body=body))

    def decode(self, data: bytes) -> tuple[Envelope, _M]:
        """The message in some bytes; raises UnknownVersion, or Rejected for bytes that hold none of this channel."""
        envelope = self.open(data)
        try:
            return envelope, self._body.decode(envelope.body)
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError, RecursionError) as error:
            raise Rejected(f"a message of {len(data)} bytes was no message of this channel: {error}") from error

    def open(self, data: bytes) -> Envelope:
        """The envelope alone; raises as ``decode``."""
        if len(data) > LONGEST_MESSAGE:
            raise Rejected(f"a message had {len(data)} bytes; expected at most {LONGEST_MESSAGE}")
        try:
            version = self._version.decode(data).version
            if version != VERSION:
                raise UnknownVersion(f"a message had version {version}; expected {VERSION}, the one known here")
            return self._envelope.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Rejected(f"{len(data)} bytes were no message: {error}") from error

    def command_id(self, data: bytes) -> str:
        """The id of a command that does not decode, so that it can be answered; empty when it cannot be read."""
        try:
            return self._id.decode(self.open(data).body).command_id
        except (Rejected, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ""


def data_codec() -> Codec[DataMessage]:
    """Of the data channel."""
    return Codec(DataMessage)


def command_codec() -> Codec[CommandMessage]:
    """Of the command channel."""
    return Codec(CommandMessage)


def response_codec() -> Codec[ResponseMessage]:
    """Of the response channel."""
    return Codec(ResponseMessage)
