"""The dead-man switch where the venue has none: a second process that cancels all orders when this one dies or hangs.

The child holds the reading end of a pipe. While its parent lives, beats come through it; when the parent dies, by
whatever signal, the system closes the pipe, and silence for too long means that the parent hangs. In both cases the
child calls the cancel function, and again a little later for orders that were on their way. An orderly end disarms it.

The cancel function is named as ``module:function`` and gets the words that follow it, which anybody can read in the
list of processes: keys come from the environment alone.

    python -m orchestrator.risk.dead_man PATIENCE_MS BETWEEN_ROUNDS_MS module:function [WORD ...]
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import IO, Final

from market.errors import Fatal, MissingInput

CancelAll = Callable[[Sequence[str]], None]
"""Cancels all orders that work; gets the words of the command line. May be called more than once."""

_BEAT: Final = b"."
_DISARM: Final = b"d"
_ARMED: Final = b"armed\n"
_ROUNDS: Final = 3
_START_TIMEOUT_S: Final = 30.0
_END_TIMEOUT_S: Final = 120.0
"""Longer than three rounds at venues that do not answer."""
_READ_BYTES: Final = 4_096
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending(IntEnum):
    """Exit codes of the child."""

    DISARMED = 0
    CANCELLED = 10
    """The parent died or hung, and the last round of cancelling succeeded."""
    FAILED = 11


@dataclass(frozen=True, slots=True)
class DeadManPlan:
    """What the child does.

    Parameters
    ----------
    cancel: ``module:function`` of a ``CancelAll``. words: what it gets. patience_ms: longest silence of the parent.
    between_rounds_ms: time between two rounds of cancelling.
    """

    cancel: str
    words: tuple[str, ...] = ()
    patience_ms: int = 5_000
    between_rounds_ms: int = 1_000


class DeadManSwitch:
    """The parent's side; a context manager that arms at its start and disarms at an orderly end.

    An error that leaves the block is no orderly end: the child cancels then.

    Parameters
    ----------
    environment: of the child, None for this process's own.
    """

    def __init__(self, plan: DeadManPlan, environment: Mapping[str, str] | None = None) -> None:
        self._plan = plan
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DeadManSwitch:
        self.arm()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.disarm()
        else:
            self.fire()

    @property
    def process_id(self) -> int:
        """Of the child."""
        return self._armed().pid

    def arm(self) -> None:
        """Start the child and wait until it has found its cancel function; raises MissingInput when it has not."""
        plan = self._plan
        times = [str(plan.patience_ms), str(plan.between_rounds_ms)]
        # A session of its own: what interrupts or kills the parent's group must leave the child alone.
        child = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.risk.dead_man", *times, plan.cancel, *plan.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=None if self._environment is None else dict(self._environment),
            start_new_session=True,
        )
        output = _pipe(child.stdout)
        ready, _, _ = select.select([output], [], [], _START_TIMEOUT_S)
        if not ready or output.readline() != _ARMED:
            child.kill()
            child.wait()
            _close(child)
            raise MissingInput(
                f"the dead-man switch did not start: {self._plan.cancel} could not be loaded; expected module:function"
            )
        os.set_blocking(_pipe(child.stdin).fileno(), False)
        self._child = child

    def beat(self) -> None:
        """Say that this process lives; raises Fatal when the child has died."""
        child = self._armed()
        try:
            os.write(_pipe(child.stdin).fileno(), _BEAT)
        except BlockingIOError:
            return  # thousands of beats wait unread: the child is slow, and reads that we live when it comes to it
        except BrokenPipeError as error:
            raise Fatal(f"the dead-man switch has died with code {child.poll()}; expected it to outlive us") from error

    def disarm(self) -> None:
        """End the child without cancelling anything; raises Fatal when it did not end so."""
        child, code = self._end(_DISARM)
        if code != Ending.DISARMED:
            raise Fatal(f"the dead-man switch {child} ended with code {code}; expected 0, disarmed")

    def fire(self) -> int:
        """Let the child cancel everything now; returns its exit code, an ``Ending``."""
        return self._end(b"")[1]

    def _end(self, word: bytes) -> tuple[int, int]:
        child = self._armed()
        self._child = None
        stream = _pipe(child.stdin)
        try:
            os.set_blocking(stream.fileno(), True)
            os.write(stream.fileno(), word)
        except BrokenPipeError:
            word = b""  # it has ended by itself; its exit code says how
        stream.close()
        try:
            code = child.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # It is left alone: it may still be cancelling.
            raise Fatal(
                f"the dead-man switch {child.pid} is still at work after {_END_TIMEOUT_S:g} s; expected its end: look "
                "at the venues which orders work"
            ) from None
        finally:
            _close(child)
        return child.pid, code

    def _armed(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise Fatal("the dead-man switch was not armed; call arm() first")
        return self._child


def resolve(place: str) -> CancelAll:
    """The function that ``module:function`` names; raises MissingInput when there is none."""
    module, _, name = place.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise MissingInput(f"cancel function was {place!r}: {error}; expected module:function") from error
    if not callable(function):
        raise MissingInput(f"cancel function was {place!r}, a {type(function).__name__}; expected a function")
    cancel: CancelAll = function
    return cancel


def watch(descriptor: int, patience_ms: int) -> bool:
    """Read beats until the parent disarms (True), dies, or falls silent for too long after its first beat (False).

    Before that it connects and asks about earlier orders, which may take longer; it has sent nothing yet.
    """
    patience_s = None
    while True:
        ready, _, _ = select.select([descriptor], [], [], patience_s)
        data = os.read(descriptor, _READ_BYTES) if ready else b""
        if not data:
            return False
        if _DISARM in data:
            return True
        patience_s = patience_ms / 1e3


def cancel_in_rounds(cancel: CancelAll, words: Sequence[str], wait: Callable[[], object]) -> Ending:
    """Call the cancel function several times, whatever it raises; how the last call went is how it ends.

    Parameters
    ----------
    wait: called between two rounds.
    """
    ending = Ending.FAILED
    for number in range(_ROUNDS):
        if number:
            wait()
        try:
            cancel(words)
            ending = Ending.CANCELLED
        except Exception:  # noqa: BLE001 - nothing may keep the next round from being tried
            traceback.print_exc()
            ending = Ending.FAILED
    return ending


def main(arguments: Sequence[str]) -> int:
    """The child: waits for its parent's end; returns its exit code."""
    patience_ms, between_rounds_ms, place, *words = arguments
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    cancel = resolve(place)
    sys.stdout.buffer.write(_ARMED)
    sys.stdout.flush()
    if watch(sys.stdin.fileno(), int(patience_ms)):
        return Ending.DISARMED
    return cancel_in_rounds(cancel, words, lambda: select.select([], [], [], int(between_rounds_ms) / 1e3))


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise Fatal("the dead-man switch has no pipe; expected one, as it was asked for")
    return stream


def _close(child: subprocess.Popen[bytes]) -> None:
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
