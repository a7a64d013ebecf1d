"""The self-test of a board: armed with tables of its own, fed with quotes, and compared with the CPU engine."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from hdl.control.seal import KEY_BYTES, seal
from hdl.egress.latency_buckets import BUCKETS, bucket_name
from market.errors import Fatal, Rejected, Retry, TickwireError
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result
from market.wire.sbe import Decoded, decode, encode
from orchestrator.clock import SystemClock
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.selftest_plan import EPOCH, VENUES, Expected, Places, Quote, engine_row, expectation, quotes
from orchestrator.fpga.shadow import LogShadow, log_steps

_DATAGRAM_BYTES: Final = 2_048
_REARM_ATTEMPTS: Final = 5
_COUNT_ATTEMPTS: Final = 20
_PS_PER_NS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried, and what came of it."""

    name: str
    passed: bool
    seen: str


@dataclass(slots=True)
class Outcome:
    """All that was tried, in order; ``latency`` has the buckets that the board's triggers of this test fell into."""

    checks: list[Check] = field(default_factory=list)
    triggers: int = 0
    latency: dict[str, Any] | None = None

    @property
    def passed(self) -> bool:
        """Whether every check passed, and there were some."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    def result(self) -> dict[str, Any]:
        """Ready for JSON."""
        checks = [asdict(check) for check in self.checks]
        return {"passed": self.passed, "checks": checks, "triggers": self.triggers, "latency": self.latency}


class SelfTest:
    """One run against one board.

    Parameters
    ----------
    host: the board's host; with a key, seals are tried as well, and latencies are asked for.
    market: sends the quotes.
    log: bound where the board sends its event log.
    places: where in the board's tables, and where quotes are sent.
    rounds: how often the quotes of a round are sent; each makes six triggers.
    """

    def __init__(
        self,
        host: BoardHost,
        market: socket.socket,
        log: socket.socket,
        places: Places,
        rounds: int,
        clock: SystemClock,
    ) -> None:
        self.outcome = Outcome()
        self._host, self._market, self._log, self._places, self._rounds = host, market, log, places, rounds
        self._clock = clock
        self._steps: dict[int, Decoded] = {}
        self._sequence = 0
        self._rearmed_at = 0

    def run(self, *, force: bool = False) -> Outcome:
        """Try everything in turn, up to what fails; whatever happens, the board is killed in the end.

        Raises ``Rejected`` for a board that is armed, unless ``force`` is set; ``Retry`` for one that does not answer.
        """
        host = self._host
        host.adopt()
        before, answer = host.status()
        self._note(
            "answers", True, f"step {before['step']}, last id {before['id']}, {answer.round_trip_ns / 1e3:.0f} us"
        )
        if not before["killed"] and not force:
            raise Rejected("the board is armed: the test would stop it and write its tables; --force if that is meant")
        try:
            self._run(before)
        except _Ended:
            pass
        except TickwireError as error:
            self._note("goes on", False, str(error))
        finally:
            with suppress(_Ended):
                self._finish(before)
        return self.outcome

    def _run(self, before: Mapping[str, Any]) -> None:
        host = self._host
        with self._check("takes a Hello and its tables") as seen:
            first = host.hello(EPOCH).step
            rows = [*self._places.rows(), *self._places.positions(before["id"])]
            host.apply("Reset", venue=255)
            for name, fields in rows:
                host.apply(name, **fields)
            seen.append(f"{len(rows)} rows")
        if host.key is not None:
            self._try_seals(host.key)
        latency_before = None if host.key is None else host.report("LatencyCounters")
        with self._check("is armed") as seen:
            seen.append(f"by status {self._arm()}")
        if host.key is not None:
            self._try_to_loosen()
        base = host.status()[0]["quoteEvents"]
        last_counted = self._send_quotes(base)
        self._try_killed(last_counted)
        self._compare(before, first)
        if latency_before is not None:
            self.outcome.latency = latency_of(latency_before, host.report("LatencyCounters"))

    def _try_seals(self, key: bytes) -> None:
        host = self._host
        with self._check("drops what is forged, and what is sent again") as seen:
            counted = host.report("BoardCounters")
            message = encode(SCHEMA, "StatusRequest", {"sequence": host.next_sequence})
            other = bytes(octet ^ 0xFF for octet in key)
            host.post_sealed(seal(other, host.next_counter(), message))
            host.post_sealed(bytes(KEY_BYTES) + message)
            host.post_sealed(seal(key, int(counted["sealCounter"]), message))
            after = host.report("BoardCounters")
            dropped = {name: after[name] - counted[name] for name in ("forged", "replayed")}
            _require(dropped == {"forged": 2, "replayed": 1}, f"{dropped}; expected 2 forged and 1 replayed")
            seen.append("2 forged, 1 replayed")

    def _try_to_loosen(self) -> None:
        host = self._host
        with self._check("only tightens limits while armed") as seen:
            loosened = host.report("BoardCounters")["loosened"]
            looser = engine_row() | {"lease": engine_row()["lease"] + 1}
            host.post(encode(SCHEMA, "EngineRow", {"sequence": host.next_sequence, **looser}))
            after = host.report("BoardCounters")["loosened"]
            _require(after == loosened + 1, f"{after - loosened} messages dropped; expected 1")
            seen.append("a longer lease was dropped")

    def _arm(self) -> int:
        """Heartbeat and rearm; other traffic may make a status in between, so it is tried again."""
        host = self._host
        for _ in range(_REARM_ATTEMPTS):
            status, _ = host.status("Heartbeat")
            answer = host.send("Rearm", statusNumber=status["number"])
            if answer.result is Result.APPLIED:
                self._rearmed_at = answer.step
                return int(status["number"])
        raise Fatal(f"a rearm was refused {_REARM_ATTEMPTS} times: {answer.refusal.name}")

    def _send_quotes(self, base: int) -> int:
        """Send every quote once the one before it was counted; returns how many quote events there are then."""
        host, wanted = self._host, []
        with self._check("triggers") as seen:
            for number, quote in enumerate(quotes(self._rounds), start=1):
                self._send(quote)
                if quote.expected is not None:
                    wanted.append(quote.expected)
                    _require(
                        host.wait_for_triggers(len(wanted)), f"no trigger {len(wanted)} after quote {number}: {quote}"
                    )
                self._await_count(base + number)
            found: list[Expected] = [expectation(dict(decode(SCHEMA, each).fields)) for each in host.triggers]
            _require(found == wanted, f"{found}; expected {wanted}")
            seen.append(f"{len(found)} as expected")
            self.outcome.triggers = len(found)
        return base + number

    def _try_killed(self, counted: int) -> None:
        host, sent = self._host, self.outcome.triggers
        with self._check("sends nothing while killed") as seen:
            host.apply("Kill")
            stopped = host.status()[0]["gateKill"]
            rise = next(quote for quote in quotes(1) if quote.expected is not None)
            self._send(rise)
            status = self._await_count(counted + 1)
            _require(status["killed"] == 1 and status["gateKill"] == stopped + 1, f"gateKill {status['gateKill']}")
            _require(len(host.triggers) == sent, f"{len(host.triggers) - sent} triggers")
            seen.append("a rise was stopped at the gate")

    def _compare(self, before: Mapping[str, Any], first: int) -> None:
        host = self._host
        with self._check("decides as the CPU engine does") as seen:
            status, answer = host.status()
            self._read_log(answer.step)
            shadow = LogShadow(self._places.sizes, before["id"], before["parity"], first)
            for number in sorted(self._steps):
                shadow.follow(self._steps[number], rearms=number == self._rearmed_at)
            same = sum(ours == theirs for ours, theirs in zip(shadow.triggers, host.triggers, strict=False))
            counts = f"{len(host.triggers)} triggers here, {len(shadow.triggers)} there, {same} with the same bytes"
            _require(shadow.triggers == host.triggers, counts)
            parities = f"parity {status['parity']:08x} here, {shadow.engine.parity:08x} there"
            _require(status["parity"] == shadow.engine.parity, parities)
            seen.append(f"{same} triggers with the same bytes, {parities}")

    def _finish(self, before: Mapping[str, Any]) -> None:
        """Kill, take all rows back, and leave id and parity as they were."""
        host = self._host
        with self._check("is killed and cleared") as seen:
            host.adopt()
            host.apply("Kill")
            status, _ = host.status()
            for name, fields in self._places.cleared(status["id"]):
                host.apply(name, **fields)
            host.apply("LoadIdentity", id=before["id"], parity=before["parity"])
            status, _ = host.status()
            _require(bool(status["killed"]), "it is armed")
            _require((status["id"], status["parity"]) == (before["id"], before["parity"]), f"last id {status['id']}")
            seen.append(f"last id {status['id']} as before")

    def _send(self, quote: Quote) -> None:
        to = self._places.markets[VENUES.index(quote.venue)]
        self._sequence += 1
        try:
            self._market.sendto(quote.message(self._sequence), (str(to.address), to.port))
        except OSError as error:
            raise Retry(f"nothing can be sent to {to}: {error.strerror}") from error

    def _await_count(self, count: int) -> Mapping[str, Any]:
        for _ in range(_COUNT_ATTEMPTS):
            status, answer = self._host.status()
            self._read_log(answer.step)
            if status["quoteEvents"] >= count:
                return status
        raise Fatal(f"{status['quoteEvents']} quote events were counted; expected {count}: a quote was lost or dropped")

    def _read_log(self, until: int) -> None:
        """Take what has come of the event log, waiting for a step."""
        deadline_ns = self._clock.monotonic_ns() + 10**9
        while max(self._steps, default=0) < until:
            left_ns = deadline_ns - self._clock.monotonic_ns()
            if left_ns <= 0:
                raise Retry(
                    f"step {until} of the event log did not come: is its port the one that the board was built for?"
                )
            self._log.settimeout(left_ns / 1e9)
            try:
                datagram = self._log.recv(_DATAGRAM_BYTES)
            except TimeoutError:
                continue
            for step in log_steps(datagram):
                self._steps[step.fields["number"]] = step

    @contextmanager
    def _check(self, name: str) -> Iterator[list[str]]:
        seen: list[str] = []
        try:
            yield seen
        except TickwireError as error:
            self._note(name, False, str(error))
            raise _Ended from error
        self._note(name, True, "; ".join(seen))

    def _note(self, name: str, passed: bool, seen: str) -> None:
        self.outcome.checks.append(Check(name, passed, seen))


class _Ended(Fatal):
    """A check failed and has been noted."""


def _require(holds: bool, seen: str) -> None:
    if not holds:
        raise Fatal(seen)


def latency_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What LatencyCounters counted in between; buckets with something in them, in cycles."""
    counted = {bucket_name(number): after[f"bucket{number}"] - before[f"bucket{number}"] for number in range(BUCKETS)}
    return {
        "cycle_ns": after["cyclePs"] / _PS_PER_NS,
        "measured": after["measured"] - before["measured"],
        "unmatched": after["unmatched"] - before["unmatched"],
        "cycles": {name: count for name, count in counted.items() if count},
        "minimum_cycles": after["minimum"],
        "maximum_cycles": after["maximum"],
    }
