"""The CPU engine beside the core: fed in the order that the core's log says, compared byte for byte."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, Final

from market.engine import Engine
from market.errors import Fatal
from market.fastpath import layout, state
from market.fastpath.conformance.runner import described
from market.fastpath.engine import CpuEngine
from market.fastpath.specification import EngineSizes, StepKind
from sim.rtl.bench.coverage import Coverage
from sim.rtl.bench.frame_driver import FrameOnLine
from sim.rtl.bench.recorder import Recorder

_FRAME_COUNTERS: Final = layout.TEMPLATE_FRAME_COUNTERS.to_bytes(2, "little")
_SPOIL: Final = 0xFF


class Scoreboard:
    """Knows every input with its time, and what the core made of them.

    For each step of the core's log frames are fed to the engine up to one that is a step, or control messages. Where
    both arrive at once, the order in which the core dealt with them is the one that counts.

    Attributes
    ----------
    engine: the CPU engine. messages, log: of the core, in order, since the last comparison.
    """

    def __init__(self, sizes: EngineSizes, coverage: Coverage) -> None:
        self.engine = CpuEngine(sizes, event_log=True)
        self.recorder = Recorder(coverage, self.engine.state)
        self.messages: list[bytes] = []
        self.log: list[bytes] = []
        self._frames: deque[tuple[bytes, int]] = deque()
        self._controls: deque[tuple[bytes, int]] = deque()
        self._expected_log: list[bytes] = []
        self._replayed = 0
        self._followers: list[Engine] = []

    @contextmanager
    def followed_by(self, other: Engine) -> Iterator[None]:
        """What is compared in the meantime is fed to another engine, too, in the same order."""
        self._followers.append(other)
        yield
        self._followers.remove(other)

    def frame_begun(self, frame: FrameOnLine, time_ns: int) -> None:
        """A frame's first beat was driven. One with a line error is as one with a wrong check sequence."""
        octets = frame.octets
        if frame.error and octets:
            octets = octets[:-1] + bytes([octets[-1] ^ _SPOIL])
        self._frames.append((octets, _signed(time_ns)))

    def control_begun(self, message: Any, time_ns: int) -> None:
        """A control message's first byte was taken."""
        self._controls.append((message.octets, _signed(time_ns)))

    def logged(self, message: bytes) -> None:
        """The core logged a step."""
        self.log.append(message)

    def sent(self, message: bytes) -> None:
        """The core sent a message."""
        self.messages.append(message)

    def kill_pin(self, *, before_steps: bool = False) -> None:
        """The engine, which has no pins, is killed behind what the core has logged, or before what was not compared."""
        if not before_steps:
            self._replay()
        self.engine.state[state.ARMED] = 0

    def differences(self) -> list[str]:
        """Feed what is left, which must not make steps, and compare what was sent and logged since the last call."""
        self._replay()
        steps = len(self._expected_log)
        self._feed_rest()
        if len(self._expected_log) != steps:
            extra = [described(step) for step in self._expected_log[steps:]]
            found = [f"steps that the core did not log: {extra}"]
        else:
            found = _different("step of the log", self._expected_log, self.log)
        own = [message for message in self.messages if message[2:4] != _FRAME_COUNTERS]
        found += _different("message", self.engine.outputs(), own)
        if not found:
            for message in own:
                self.recorder.message(message)
        self._expected_log, self.log, self.messages = [], [], []
        self._replayed = 0
        return found

    def _replay(self) -> None:
        """Let the engine take what the logged steps were made of."""
        for step in self.log[self._replayed :]:
            is_control = step[layout.LOG_STEP_KIND] == StepKind.CONTROL
            inputs, take = (self._controls, self._control) if is_control else (self._frames, self._frame)
            if not self._feed(inputs, take):
                raise Fatal(f"the core logged a step that no input explains: {described(step)}")
        self._replayed = len(self.log)

    def settle(self) -> None:
        """The core rests: whatever was given before comes before whatever is given now."""
        self._replay()
        self._feed_rest()

    def _feed_rest(self) -> None:
        while self._frames:
            self._frame(*self._frames.popleft())
        while self._controls:
            self._control(*self._controls.popleft())

    @staticmethod
    def _feed(inputs: deque[tuple[bytes, int]], take: Callable[[bytes, int], bool]) -> bool:
        """Up to the first that is a step; whether there is one."""
        while inputs:
            if take(*inputs.popleft()):
                return True
        return False

    def _frame(self, octets: bytes, time_ns: int) -> bool:
        """Whether the frame was a step of the engine."""
        for engine in (self.engine, *self._followers):
            engine.push([octets], [time_ns])
        steps = self._steps()
        self.recorder.frame(octets, steps[0][layout.LOG_STEP_PAYLOAD :] if steps else None)
        return bool(steps)

    def _control(self, octets: bytes, time_ns: int) -> bool:
        for engine in (self.engine, *self._followers):
            engine.control(octets, time_ns)
        self.recorder.control()
        return bool(self._steps())

    def _steps(self) -> list[bytes]:
        steps = self.engine.event_log()
        self._expected_log += steps
        return steps


def _signed(time_ns: int) -> int:
    return time_ns - (1 << 64) if time_ns >> 63 else time_ns


def _different(what: str, expected: Sequence[bytes], seen: Sequence[bytes]) -> list[str]:
    """The first pair that is not equal, for people."""
    for number, (wanted, given) in enumerate(zip_longest(expected, seen, fillvalue=b"")):
        if wanted != given:
            texts = [described(each) if each else "nothing" for each in (wanted, given)]
            return [f"{what} {number} of {len(expected)}: expected {texts[0]}, seen {texts[1]}"]
    return []
