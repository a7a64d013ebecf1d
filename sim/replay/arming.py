"""Bringing an engine from reset to trading, as a host does: hello, tables, a heartbeat, rearm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from market.engine import Engine
from market.errors import Fatal
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Refusal, Result
from market.wire.sbe import decode, encode

FIRST_SEQUENCE: Final = 1


def arm(engine: Engine, tables: Sequence[bytes], time_ns: int, *, epoch: int = 1) -> tuple[int, list[bytes]]:
    """Send hello, the tables, a heartbeat and a rearm, all at one time.

    Parameters
    ----------
    tables: table rows as control messages whose sequence numbers follow ``FIRST_SEQUENCE``.

    Returns the next control sequence number and everything that the engine answered. Raises Fatal when the
    engine refuses a message, naming it and the reason.
    """
    answers: list[bytes] = []
    sequence = FIRST_SEQUENCE + 1 + len(tables)
    hello = encode(SCHEMA, "Hello", {"sequence": FIRST_SEQUENCE, "epoch": epoch})
    heartbeat = encode(SCHEMA, "Heartbeat", {"sequence": sequence})
    for message in (hello, *tables, heartbeat):
        answers += _send(engine, message, time_ns)
    status = _last_status(answers)
    answers += _send(engine, encode(SCHEMA, "Rearm", {"sequence": sequence + 1, "statusNumber": status}), time_ns)
    return sequence + 2, answers


def _send(engine: Engine, message: bytes, time_ns: int) -> list[bytes]:
    engine.control(message, time_ns)
    answers = engine.outputs()
    for answer in answers:
        decoded = decode(SCHEMA, answer)
        if decoded.name == "Acknowledge" and decoded.fields["result"] != Result.APPLIED:
            refused = decode(SCHEMA, message)
            raise Fatal(
                f"the engine did not apply {refused.name} {dict(refused.fields)}: "
                f"{Result(decoded.fields['result']).name}, {Refusal(decoded.fields['refusal']).name}"
            )
    return answers


def _last_status(answers: Sequence[bytes]) -> int:
    numbers = [decode(SCHEMA, answer) for answer in answers]
    statuses = [int(decoded.fields["number"]) for decoded in numbers if decoded.name == "Status"]
    if not statuses:
        raise Fatal("the engine sent no status after a heartbeat; is it a Tickwire engine of this version?")
    return statuses[-1]
