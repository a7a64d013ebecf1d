"""A run that is killed at any moment loses nothing and repeats nothing: afterwards all is as the exchange says.

One exchange, one journal; the run is killed and started again and again. More than six in ten kills hit while an order
is on its way, half of them before the exchange has taken it and half before its answer.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Self

import pytest

from market.orders.kinds import OrderState, Side
from market.orders.machine import advance
from market.orders.order import Order, new_order
from orchestrator.storage.journal_folder import journal_path, session_numbers
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import EventWritten, IntentWritten
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.plan import Channel, Fault, FaultKind, FaultPlan
from tests.orchestrator.live.exchange_world import ACCOUNT, FUTURES, SPOT, SYMBOL, ExchangeWorld, exchange_world
from tests.processes import mortal

KILLS: Final = 20
LONG_KILLS: Final = 200
ON_THE_WAY: Final = 0.6
"""Least share of kills between the intent and the answer; somewhat more are meant to."""
_MEANT: Final = 0.65
_BETWEEN_S: Final = 0.06
_LONGEST_S: Final = 30.0
_EARLY_S: Final = 0.3
_LATE_S: Final = 1.5


FAULTS: Final = FaultPlan(
    seed=3,
    faults=(
        Fault(kind=FaultKind.LOST_ANSWER, permille=30),
        Fault(kind=FaultKind.LATE_FILL, permille=150, amount_ns=100_000_000),
        Fault(kind=FaultKind.DUPLICATE, channel=Channel.USER, permille=150),
        Fault(kind=FaultKind.DELAY, channel=Channel.MARKET, permille=50, amount_ns=30_000_000),
        Fault(kind=FaultKind.GAP, permille=5),
        Fault(kind=FaultKind.DISCONNECT, at_ns=2_000_000_000, every_ns=3_700_000_000),
    ),
)
"""What goes wrong besides, all the while."""
_PASSING: Final = ("market.errors.Retry", "market.errors.MissingInput")
"""How a run ends whose venue did not answer at the start; it is started again."""


@dataclass
class Killer:
    """Kills the run at the moment that was chosen; the moment comes in any thread.

    Attributes
    ----------
    struck: kills by kind.
    """

    choice: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    _aim: tuple[str, int] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def aim(self, process: int) -> None:
        """Choose how a run dies that has just been started."""
        on_the_way = self.struck["before"] + self.struck["after"]
        if on_the_way < _MEANT * (self.struck.total() + 1):
            plan = self.choice.choice(("before", "after"))
        else:
            plan = "any time"
            wait_s = self.choice.uniform(_EARLY_S, _LATE_S)
            threading.Timer(wait_s, self._strike_at, [(plan, process)]).start()
        with self._lock:
            self._aim = plan, process

    def strike(self, kind: str) -> None:
        """Kill the run, if it was to be killed in this way."""
        with self._lock:
            if self._aim is not None and self._aim[0] == kind:
                self._kill()

    def forget(self) -> None:
        """The run has ended."""
        with self._lock:
            self._aim = None

    def _strike_at(self, aim: tuple[str, int]) -> None:
        with self._lock:
            if self._aim == aim:
                self._kill()

    def _kill(self) -> None:
        assert self._aim is not None
        kind, process = self._aim
        self._aim = None
        with suppress(ProcessLookupError):  # It has ended by itself just now.
            os.kill(process, signal.SIGKILL)
            self.struck[kind] += 1

    def around(self, place: Callable[..., Any]) -> Callable[..., Any]:
        """A venue's ``place``, with a kill before or after it."""

        def placed(*words: Any, **named: Any) -> Any:
            self.strike("before")
            try:
                return place(*words, **named)
            finally:
                self.strike("after")

        return placed


class Runs:
    """The zygote, seen from here."""

    def __init__(self, world: ExchangeWorld) -> None:
        words = [sys.executable, "-m", "tests.orchestrator.live.zygote"]
        self._world = world
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **world.environment},
            start_new_session=True,
        )

    def start(self, profile: Path, seconds: float, result: Path) -> int:
        """Start a run; returns its process."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{profile} {seconds} {result}\n")
        self._process.stdin.flush()
        return int(self._line("started"))

    def ended(self) -> int:
        """Wait until the run has ended; returns its wait status."""
        return int(self._line("ended"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End the zygote, and after an error whatever it has forked."""
        if error[0] is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=10)

    def _line(self, word: str) -> str:
        assert self._process.stdout is not None
        with mortal(self._process):
            line = self._process.stdout.readline().split()
        assert line[:1] == [word], line
        return line[1]


@contextmanager
def dislocations(world: ExchangeWorld) -> Iterator[Future[None]]:
    """Somebody bids too much on futures, or asks too little, every few milliseconds; yields what becomes of that."""
    over = threading.Event()
    choice = random.Random(11)

    def go_on() -> None:
        while not over.wait(_BETWEEN_S):
            venue, side, price = choice.choice(((FUTURES, Side.BUY, "60600"), (FUTURES, Side.SELL, "59400")))
            world.do(lambda venue=venue, side=side: take_back(world, venue, side))  # type: ignore[misc]
            world.quote(venue, side, price, f"0.{choice.randint(1, 9):03d}")

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(go_on)
        try:
            yield going
        finally:
            over.set()


def take_back(world: ExchangeWorld, name: str, side: Side) -> None:
    """Trade away what is left of the last dislocation: only a new one makes a trigger."""
    depth = world.venues[name].depth(SYMBOL, 1)
    levels = depth.bids if side is Side.BUY else depth.asks
    symbol = next(model for model in world.venues[name].model.symbols if model.symbol == SYMBOL)
    usual = symbol.price_ticks("59990" if side is Side.BUY else "60010")
    for ticks, lots in levels:
        if (ticks - usual) * side.sign > 0:
            world.venues[name].inject(SYMBOL, side.opposite, ticks, lots, world.clock.now_ns())


def kill_again_and_again(folder: Path, kills: int) -> tuple[Counter[str], dict[str, Any], ExchangeWorld]:
    """The whole story; returns how the runs died and what the last one, which nobody killed, said."""
    result = folder / "result.json"
    with exchange_world(folder, FAULTS) as world:
        # Wide books on both sides, so that buying and selling alternate and the limits are not used up.
        profile = world.profile(extra=_window(world))
        killer = Killer(random.Random(5))
        for venue in world.venues.values():
            _hook(venue, killer)
        with Runs(world) as runs:
            with dislocations(world) as going:
                while killer.struck.total() < kills:
                    killer.aim(runs.start(profile, _LONGEST_S, result))
                    status = runs.ended()
                    killer.forget()
                    assert not going.done(), going.exception()
                    assert os.WIFSIGNALED(status) or _failed_to_start(result), _story(result)
            world.do(world.server.faults.clear)
            runs.start(profile, 2.0, result)
            status = runs.ended()
            assert status == 0, _story(result)
        check_against_exchange(folder, world)
    return killer.struck, json.loads(result.read_text(encoding="utf-8")), world


def _failed_to_start(result: Path) -> bool:
    error = result.with_suffix(".error")
    if not error.exists():
        return False
    last = error.read_text(encoding="utf-8").splitlines()[-1]
    error.unlink()
    return last.startswith(_PASSING)


def _story(result: Path) -> str:
    """What a run left behind that was not killed and should have been, or failed."""
    return "\n".join(
        file.read_text(encoding="utf-8") for file in (result, result.with_suffix(".error")) if file.exists()
    )


def _window(world: ExchangeWorld) -> str:
    text = "[risk.limits]\nmaximum_exposure_quote = 1_000_000\nmaximum_instrument_exposure_quote = 1_000_000\n"
    return text + "capital_quote = 1_000_000\n"


def _hook(venue: SimulatedVenue, killer: Killer) -> None:
    venue.place = killer.around(venue.place)  # type: ignore[method-assign]


def journalled(folder: Path) -> dict[str, Order]:
    """Every order of every session, as the journals alone tell it."""
    orders: dict[str, Order] = {}
    for number in session_numbers(folder / "journal"):
        for record in read_journal(journal_path(folder / "journal", number)).records:
            if isinstance(record, IntentWritten):
                orders[record.intent.client_order_id] = new_order(record.intent)
            elif isinstance(record, EventWritten):
                orders[record.client_order_id] = advance(orders[record.client_order_id], record.event)
    return orders


def check_against_exchange(folder: Path, world: ExchangeWorld) -> None:
    """No order twice, none lost; quantities, balances and positions as the exchange has them."""
    ours = journalled(folder)
    assert sum(order.filled > 0 for order in ours.values()) > 10, "there is something to check"
    assert not [order for order in ours.values() if order.is_working]
    for venue_number, name in enumerate((SPOT, FUTURES)):
        venue = world.venues[name]
        theirs = world.do(lambda venue=venue: venue.all_orders(ACCOUNT, SYMBOL, limit=1_000_000))  # type: ignore[misc]
        names = [order.client_order_id for order in theirs]
        assert len(set(names)) == len(names), "an order was sent twice"
        lots = _lot_counts(name)
        for order in theirs:
            mine = ours[order.client_order_id]
            assert mine.filled == order.executed_lots * lots, (mine, order)
        missing = [
            order
            for order in ours.values()
            if order.intent.venue == venue_number and order.client_order_id not in names
        ]
        assert all(order.state is OrderState.REJECTED and not order.filled for order in missing)
    check_money(list(ours.values()), world)


def _lot_counts(name: str) -> int:
    """Quantity counts (1e-9) of one lot."""
    return 10_000 if name == SPOT else 1_000_000


def check_money(orders: list[Order], world: ExchangeWorld) -> None:
    """Every unit that changed hands at the exchange is in our fills, and no other."""
    spot = [order for order in orders if order.intent.venue == 0]
    coins = sum(order.intent.side.sign * order.filled - sum(fill.fee_base for fill in order.fills) for order in spot)
    assert Decimal(world.balance(SPOT, "BTC")).scaleb(-8) - 10 == Decimal(coins).scaleb(-9)
    paid = sum(
        -order.intent.side.sign * order.notional - (0 if order.intent.side is Side.BUY else order.fee) for order in spot
    )
    assert Decimal(world.balance(SPOT, "USDT")).scaleb(-8) - 1_000_000 == Decimal(paid).scaleb(-18)
    futures = [order for order in orders if order.intent.venue == 1]
    held = sum(order.intent.side.sign * order.filled for order in futures)
    state = world.do(lambda: world.venues[FUTURES].positions(ACCOUNT))
    lots = sum(position.quantity_lots for position in state if position.symbol == SYMBOL)
    assert lots * _lot_counts(FUTURES) == held


@pytest.mark.parametrize("kills", [KILLS, pytest.param(LONG_KILLS, marks=pytest.mark.long)])
def test_killed_again_and_again_nothing_is_lost_and_nothing_done_twice(tmp_path: Path, kills: int) -> None:
    struck, last, _ = kill_again_and_again(tmp_path, kills)
    assert struck.total() >= kills
    assert struck["before"] + struck["after"] >= kills * ON_THE_WAY
    assert kills / 2 < last["session"]
    assert last["guard"] == "RUNNING"
    assert last["counts"]["contradictions"] == 0
