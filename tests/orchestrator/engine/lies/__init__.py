"""Engines in a process of their own that do not tell the truth, each in its way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import msgspec

from market.fastpath import layout
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes
from orchestrator.engine.child import DATAGRAM_BYTES, open_socket
from orchestrator.engine.inputs import Input, apply
from orchestrator.engine.shadow import template_of

Change = Callable[[bytes], list[bytes]]
"""What is sent instead of a message."""
TRUTHS: Final = 30
"""So many messages of the kind are true before the lie."""


def serve(template: int, change: Change) -> None:
    """As ``orchestrator.engine.child``, but one message of one kind is changed."""
    sizes = msgspec.json.decode(sys.argv[2], type=EngineSizes)
    engine, opened, seen = CpuEngine(sizes, event_log=True), open_socket(sys.argv[1:]), 0
    while datagram := opened.recv(DATAGRAM_BYTES):
        apply(engine, msgspec.msgpack.decode(datagram, type=Input))
        for message in (*engine.outputs(), *engine.event_log()):
            seen += template_of(message) == template
            lies = template_of(message) == template and seen == TRUTHS + 1
            for sent in change(message) if lies else [message]:
                opened.send(sent)


def flipped(message: bytes, at: int) -> bytes:
    """A message with one byte changed."""
    return message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]


def renumbered(trigger: bytes) -> bytes:
    """A trigger under the next id."""
    at = layout.TRIGGER_ID
    number = int.from_bytes(trigger[at : at + 8], "little") + 1
    return trigger[:at] + number.to_bytes(8, "little") + trigger[at + 8 :]
