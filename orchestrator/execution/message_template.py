"""Messages of the WebSocket API that are built but for what changes from order to order.

A request's signature is over its parameters in order of their names, ``name=value`` joined by ``&``. Everything between
the values that change is text that is known beforehand, in the signed text and in the JSON message alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from orchestrator.execution.signing import Signer

_TIMESTAMP: Final = "timestamp"
_NUMBERS: Final = frozenset({_TIMESTAMP, "recvWindow"})
"""Numbers in JSON; everything else is text."""
_GAP: Final = "%s"


class MessageTemplate:
    """A message with gaps.

    Parameters
    ----------
    method: of the WebSocket API. constants: parameters that are the same in every message.
    variables: names of the others; the time is one of them by itself.
    signer: None where the session is logged on and nothing is signed.

    Values must be letters, digits and ``.-_`` only, as ids, numbers and symbols are: nothing is quoted.
    """

    def __init__(
        self, method: str, constants: Mapping[str, str], variables: Sequence[str], signer: Signer | None
    ) -> None:
        filled = [*variables, _TIMESTAMP]
        names = sorted([*constants, *filled])
        values = {name: text.replace("%", "%%") for name, text in constants.items()}
        self._order = tuple(filled.index(name) for name in names if name in filled)
        parameters = ",".join(_json_pair(name, values.get(name, _GAP)) for name in names)
        signature = "" if signer is None else ',"signature":"%s"'
        self._message = f'{{"id":"%s","method":"{method}","params":{{{parameters}{signature}}}}}'
        self._signed = "&".join(f"{name}={values.get(name, _GAP)}" for name in names)
        self._sign = None if signer is None else signer.sign

    def message(self, number: str, values: Sequence[str], timestamp_ms: int) -> bytes:
        """The message with an id, the values in the order of the variables, and a time; about 5 us signed by HMAC."""
        given = (*values, str(timestamp_ms))
        ordered = tuple([given[place] for place in self._order])
        if self._sign is None:
            return (self._message % (number, *ordered)).encode()
        signature = self._sign((self._signed % ordered).encode())
        return (self._message % (number, *ordered, signature)).encode()


def _json_pair(name: str, value: str) -> str:
    return f'"{name}":{value}' if name in _NUMBERS else f'"{name}":"{value}"'
