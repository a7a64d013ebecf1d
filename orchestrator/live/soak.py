"""A soak: a live run against the simulated exchange at a steady rate of market data, watched for what grows.

``python -m orchestrator.live.soak --rate 1000 --seconds 600``. The exchange is a process of its own and serves what it
always serves; beside its background traders, quantities at the best prices change so often that the rate comes out. The
run is the whole of a live run: feeds, fast loop, both strategies, risk, orders, journal and database.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from config.execution import Mode
from config.settings import Settings
from orchestrator.cli.exits import ExitCode, failure_of
from orchestrator.cli.output import Output, Progress, Session, with_output
from orchestrator.cli.profile import load_profile
from orchestrator.clock import SystemClock
from orchestrator.feeds.account import MessageAccount
from orchestrator.live.result import run_result
from orchestrator.live.session import LiveSession, RunPlan, live_session
from orchestrator.live.soak_exchange import SentCounts, SoakExchange
from orchestrator.live.soak_settings import credentials_of, pointed_at, soak_settings
from orchestrator.live.soak_watch import Growth, Sample, excesses, memory, queues, sample
from orchestrator.risk.readings import resident_bytes

PROFILE: Final = "simulated"
_EVERY_S: Final = 1.0
_MOST_WARM_UP_S: Final = 60.0
_QUIET_S: Final = 0.8
"""After so long without a message no more are waited for; less than the silence that makes a feed connect anew."""
_LOOK_S: Final = 0.02
_START_S: Final = 60.0
_NS: Final = 1e-9


def warm_up_s(seconds: float) -> float:
    """How long memory and queues are not judged: caches fill, the first books are fetched."""
    return min(seconds / 4, _MOST_WARM_UP_S)


@dataclass(frozen=True)
class SoakResult:
    """What came of it.

    Parameters
    ----------
    sent, received: market messages by venue, when the load had been stopped and all had arrived.
    misses: what was not as it must be; none when the soak has passed.
    """

    rate: float
    seconds: float
    sent_rate: float
    sent: dict[str, int]
    received: dict[str, int]
    accounts: list[MessageAccount]
    memory: Growth
    queues: dict[str, Growth]
    exchange_bytes: int
    missed_changes: int
    run: dict[str, Any]
    misses: list[str]


class Soak:
    """One soak; ``run`` it once.

    Parameters
    ----------
    settings: of the run and of the exchange. rate: market messages per second, over all venues.
    """

    def __init__(self, settings: Settings, rate: float, seconds: float, progress: Progress) -> None:
        self._settings = settings
        self._rate = rate
        self._seconds = seconds
        self._progress = progress
        self._clock = SystemClock()
        self._samples: list[Sample] = []
        self._sent_rate = 0.0
        self._last: tuple[SentCounts, dict[str, int]] | None = None
        self._errors: list[Exception] = []
        self._over = threading.Event()

    def run(self) -> SoakResult:
        """Everything from the exchange's start to its end."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            exchange = stack.enter_context(SoakExchange(self._settings))
            chosen = pointed_at(self._settings, exchange.serving.http, folder)
            notes: list[str] = []
            session = stack.enter_context(
                live_session(chosen, credentials_of(exchange.serving), RunPlan(mode=Mode.LIVE), notes.append)
            )
            watcher = threading.Thread(target=self._watch, args=(session, exchange), name="soak", daemon=True)
            watcher.start()
            try:
                summary = session.run()
            finally:
                self._over.set()
                watcher.join()
            if self._errors:
                raise self._errors[0]
            return self._result(
                session.feed.accounts(), exchange.counts(), {**run_result(session, summary), "notes": notes}
            )

    def _watch(self, session: LiveSession, exchange: SoakExchange) -> None:
        """Load, look, let all arrive, and end the run."""
        try:
            self._load(session, exchange)
        except Exception as error:  # noqa: BLE001
            # The run's thread has to hear of it, whatever it is.
            self._errors.append(error)
        finally:
            session.stop("the soak is over")

    def _load(self, session: LiveSession, exchange: SoakExchange) -> None:
        while not session.loop.has_started and not self._over.wait(_LOOK_S):
            pass
        before = exchange.set_rate(self._rate)
        began_ns = self._clock.monotonic_ns()
        counts = before
        waiting = {**session.queues, "exchange": lambda: sum(counts.waiting.values())}
        while not self._over.wait(_EVERY_S):
            counts = exchange.counts()
            at_s = (self._clock.monotonic_ns() - began_ns) * _NS
            self._samples.append(sample(at_s, resident_bytes(), waiting))
            self._sent_rate = (sum(counts.sent.values()) - sum(before.sent.values())) / at_s
            self._progress.advance(_told(self._samples[-1], self._sent_rate))
            if at_s >= self._seconds:
                break
        exchange.set_rate(0)
        self._last = self._settle(session, exchange)

    def _settle(self, session: LiveSession, exchange: SoakExchange) -> tuple[SentCounts, dict[str, int]]:
        """Wait until what was sent has arrived, or nothing more of it arrives."""
        since_ns, before = self._clock.monotonic_ns(), session.feed.received
        while True:
            counts = exchange.counts()
            received = session.feed.received
            if received != before:
                since_ns, before = self._clock.monotonic_ns(), received
            is_all = received == counts.sent and not any(counts.waiting.values())
            if is_all or (self._clock.monotonic_ns() - since_ns) * _NS > _QUIET_S:
                return counts, received
            self._over.wait(_LOOK_S)

    def _result(self, accounts: list[MessageAccount], counts: SentCounts, run: dict[str, Any]) -> SoakResult:
        assert self._last is not None
        sent, received = self._last
        kept = [one for one in self._samples if one.at_s >= warm_up_s(self._seconds)] or self._samples[-1:]
        misses = [*excesses(kept, self._rate, self._sent_rate), *unaccounted(sent.sent, received, accounts)]
        return SoakResult(
            rate=self._rate,
            seconds=self._seconds,
            sent_rate=self._sent_rate,
            sent=sent.sent,
            received=received,
            accounts=accounts,
            memory=memory(kept),
            queues=queues(kept),
            exchange_bytes=counts.resident_bytes,
            missed_changes=counts.missed,
            run=run,
            misses=misses,
        )


def unaccounted(sent: dict[str, int], received: dict[str, int], accounts: list[MessageAccount]) -> list[str]:
    """Messages that nobody knows what became of; none when all is well."""
    found = [
        f"{name}: {count:,} messages were sent and {received.get(name, 0):,} arrived"
        for name, count in sent.items()
        if received.get(name, 0) != count
    ]
    for account in accounts:
        if account.lost:
            found.append(f"{account.source}: {account.lost:,} messages arrived and were neither taken nor do they wait")
        if account.undecoded:
            found.append(
                f"{account.source}: {account.undecoded:,} messages were taken and are neither decoded nor refused"
            )
    return found


def _told(last: Sample, sent_rate: float) -> str:
    waiting = sum(length for name, length in last.queues.items() if "bytes" not in name)
    return f"{sent_rate:,.0f}/s, {last.resident_bytes / 2**20:.1f} MiB, {waiting} waiting"


@click.command()
@click.option(
    "--rate", default=1_000.0, show_default=True, type=click.FloatRange(1), help="Market messages per second."
)
@click.option("--seconds", default=600.0, show_default=True, type=click.FloatRange(4), help="How long.")
@click.option(
    "--profile", default=PROFILE, show_default=True, metavar="NAME|FILE", help="Settings of run and exchange."
)
@with_output
def soak(output: Output, rate: float, seconds: float, profile: str) -> None:
    """Run live against the simulated exchange at a steady rate, and see that nothing grows and nothing is lost."""
    settings = soak_settings(load_profile(profile).settings)
    with output.progress(
        f"{rate:,.0f} messages per second for {seconds:g} s", total=int(seconds), announce=True
    ) as bar:
        result = Soak(settings, rate, seconds, bar).run()
    show(output, result)
    output.emit(as_words(result))
    if result.misses:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def as_words(result: SoakResult) -> dict[str, Any]:
    """The result as one JSON object."""
    return {
        **{name: value for name, value in vars(result).items() if name not in ("accounts", "memory", "queues")},
        "accounts": [_account_words(account) for account in result.accounts],
        "memory": {**asdict(result.memory), "share": result.memory.share},
        "queues": {name: asdict(queue) for name, queue in result.queues.items()},
        "warm_up_s": warm_up_s(result.seconds),
    }


def _account_words(account: MessageAccount) -> dict[str, Any]:
    words: dict[str, Any] = msgspec.to_builtins(account)
    return words


def show(output: Output, result: SoakResult) -> None:
    """The same for people."""
    rows = [
        (
            account.source,
            f"{result.sent.get(account.source, 0):,}",
            f"{result.received.get(account.source, 0):,}",
            f"{account.taken - sum(account.rejected.values()):,}",
            ", ".join(f"{name} {count:,}" for name, count in account.rejected.items()) or "0",
            f"{account.waiting:,}",
        )
        for account in result.accounts
    ]
    columns = ("source", "sent", "received", "decoded", "rejected", "waiting at the end")
    output.table("messages", columns, rows, right=columns[1:])
    grown = [(name, f"{one.first:,.0f}", f"{one.last:,.0f}", f"{one.most:,.0f}") for name, one in result.queues.items()]
    output.table("queues", ("queue", "first", "last", "most"), grown, right=("first", "last", "most"))
    kept = result.memory
    output.say(
        f"memory {kept.first / 2**20:.1f} -> {kept.last / 2**20:.1f} MiB ({kept.share:+.1%}) after a warm-up of "
        f"{warm_up_s(result.seconds):g} s; {result.sent_rate:,.0f} messages per second; "
        f"{result.run['counts']['placed']:,} orders"
    )
    for miss in result.misses:
        output.say(f"MISSED: {miss}")
    if not result.misses:
        output.say("nothing grew, and every message is accounted for")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0: passed, 1: missed, others as every command's."""
    try:
        with soak.make_context(
            "soak", list(sys.argv[1:] if arguments is None else arguments), obj=Session()
        ) as context:
            soak.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except BaseException as error:
        failure = failure_of(error)
        if failure is None:
            raise
        click.echo(f"soak: {failure.message}", err=True)
        return failure.code
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
