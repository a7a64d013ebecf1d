"""The serial line of a board, as a way for sealed control messages that no market data shares."""

from __future__ import annotations

import os
import termios
from pathlib import Path
from typing import Final, Self

from hdl.control.stuffing import stuffed
from market.errors import MissingInput, Retry

_BAUD: Final = termios.B115200
_INPUT, _OUTPUT, _CONTROL, _LOCAL, _INPUT_BAUD, _OUTPUT_BAUD = range(6)


class SerialLine:
    """A device, opened raw: 115,200 baud, 8 data bits, no parity, one stop bit, no flow control.

    A context, which closes it. Raises MissingInput for what is no serial device, or may not be opened.
    """

    def __init__(self, device: Path) -> None:
        self._device = device
        try:
            self._descriptor = os.open(device, os.O_WRONLY | os.O_NOCTTY)
        except OSError as error:
            raise MissingInput(f"{device} cannot be opened: {error.strerror}") from error
        try:
            settings = termios.tcgetattr(self._descriptor)
            settings[_INPUT] = settings[_OUTPUT] = settings[_LOCAL] = 0
            settings[_CONTROL] = termios.CS8 | termios.CLOCAL
            settings[_INPUT_BAUD] = settings[_OUTPUT_BAUD] = _BAUD
            termios.tcsetattr(self._descriptor, termios.TCSANOW, settings)
        except termios.error as error:
            os.close(self._descriptor)
            raise MissingInput(f"{device} is no serial device: {error.args[-1]}") from error

    def send(self, message: bytes) -> None:
        """A message, stuffed; waits until it has left. Raises Retry if the line fails."""
        left = stuffed(message)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            termios.tcdrain(self._descriptor)
        except (OSError, termios.error) as error:
            raise Retry(f"{self._device}: {error.args[-1]}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
