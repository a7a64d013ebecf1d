"""The dead-man switch: it cancels when its parent is killed or hangs, and only then."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from market.errors import Fatal, MissingInput, Retry
from orchestrator.risk.assembly import beat_task
from orchestrator.risk.countdown import CountdownRenewal
from orchestrator.risk.dead_man import DeadManPlan, DeadManSwitch, Ending, cancel_in_rounds, resolve, watch
from orchestrator.risk.venue_cancel import CancelTarget, Market, cancel_all, parse_target, signed_query
from tests.orchestrator.risk.floor import floor
from tests.processes import mortal

PLACE = "tests.orchestrator.risk.cancel_notes"
ROOT = Path(__file__).resolve().parent.parent.parent.parent
PATIENT_MS = 60_000

PARENT = """
import sys
from orchestrator.risk.dead_man import DeadManPlan, DeadManSwitch
switch = DeadManSwitch(DeadManPlan("tests.orchestrator.risk.cancel_notes:note", (sys.argv[1], "BTCUSDT"), 60_000, 5))
switch.arm()
switch.beat()
print(switch.process_id, flush=True)
sys.stdin.read()
"""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "SECRET_OF_TEST": "a secret"}


def switch(path: Path, function: str = "note", patience_ms: int = PATIENT_MS) -> DeadManSwitch:
    return DeadManSwitch(DeadManPlan(f"{PLACE}:{function}", (str(path), "BTCUSDT"), patience_ms, 5), environment())


def ended(process_id: int) -> None:
    """Wait until a process that is not our child is gone."""
    descriptor = os.pidfd_open(process_id)
    try:
        assert select.select([descriptor], [], [], 60)[0], "the child has not ended"
    finally:
        os.close(descriptor)


def test_killing_the_parent_cancels_everything(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    with mortal(parent):
        child = int(parent.stdout.readline())
    words = Path(f"/proc/{child}/cmdline").read_bytes()
    assert b"BTCUSDT" in words
    assert b"a secret" not in words
    assert not path.exists()
    parent.send_signal(signal.SIGKILL)
    parent.wait(60)
    ended(child)
    parent.stdin.close()
    parent.stdout.close()
    assert path.read_text(encoding="utf-8") == "cancelled BTCUSDT with a secret\n" * 3


def test_a_parent_that_hangs_counts_as_dead(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    hanging = switch(path, patience_ms=50)
    hanging.arm()
    hanging.beat()
    ended(hanging.process_id)
    assert path.read_text(encoding="utf-8").count("cancelled") == 3
    with pytest.raises(Fatal, match="has died with code 10"):
        hanging.beat()
    assert hanging.fire() == Ending.CANCELLED


def test_an_orderly_end_cancels_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    with switch(path) as armed:
        for _ in range(3):
            armed.beat()
        os.kill(armed.process_id, signal.SIGTERM)
        beat_task(armed, 500).action(floor().access, 0)
    assert not path.exists()


def test_an_error_is_no_orderly_end(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    with pytest.raises(ZeroDivisionError), switch(path):
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8").count("cancelled") == 3


@pytest.mark.parametrize("function", ["missing", "NOT_A_FUNCTION"])
def test_a_switch_without_its_function_does_not_arm(
    tmp_path: Path, function: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MissingInput, match="could not be loaded; expected module:function"):
        switch(tmp_path / "notes", function).arm()
    with pytest.raises(MissingInput, match=r"expected module:function|expected a function"):
        resolve(f"{PLACE}:{function}")
    assert "expected" in capfd.readouterr().err


def test_what_is_not_armed_cannot_beat(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="was not armed"):
        switch(tmp_path / "notes").beat()


def test_every_round_is_tried_whatever_the_one_before_raised(capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[object] = []

    def cancel(words: object) -> None:
        calls.append(words)
        if len(calls) < 3:
            raise OSError("no route to the venue")

    waits: list[None] = []
    assert cancel_in_rounds(cancel, ["a"], lambda: waits.append(None)) is Ending.CANCELLED
    assert (len(calls), len(waits)) == (3, 2)
    calls.clear()
    assert cancel_in_rounds(lambda words: [][0], [], waits.clear) is Ending.FAILED
    assert "no route to the venue" in capsys.readouterr().err


def test_words_on_the_pipe() -> None:
    for words, disarmed in ((b"..d", True), (b"", False), (b"...", False)):
        reading, writing = os.pipe()
        os.write(writing, words)
        os.close(writing)
        assert watch(reading, PATIENT_MS) is disarmed
        os.close(reading)


class Venue(BaseHTTPRequestHandler):
    """Answers as Binance does, and remembers what it was asked."""

    asked: ClassVar[list[tuple[str, dict[str, list[str]], str]]] = []
    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_DELETE(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.asked.append((parts.path, query, self.headers["X-MBX-APIKEY"]))
        code, body = self.answers.get(query["symbol"][0], (200, b"[]"))
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing is printed."""


@contextmanager
def venue(answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    Venue.asked, Venue.answers = [], answers
    with HTTPServer(("127.0.0.1", 0), Venue) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_all_orders_of_all_symbols_are_cancelled_at_the_venue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", "key")
    monkeypatch.setenv("BINANCE_API_SECRET", "secret")
    nothing = (400, b'{"code":-2011,"msg":"Unknown order sent."}')
    with venue({"ETHUSDT": nothing}) as base:
        cancel_all(["spot", base, "BTCUSDT", "ETHUSDT"])
        assert [(path, query["symbol"], key) for path, query, key in Venue.asked] == [
            ("/api/v3/openOrders", ["BTCUSDT"], "key"),
            ("/api/v3/openOrders", ["ETHUSDT"], "key"),
        ]
        cancel_all(["usdm", base + "/", "BTCUSDT"])
        assert [path for path, _, _ in Venue.asked[2:]] == ["/fapi/v1/allOpenOrders", "/fapi/v1/algoOpenOrders"]


def test_a_failure_at_one_symbol_does_not_spare_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", "key")
    monkeypatch.setenv("BINANCE_API_SECRET", "secret")
    with venue({"BTCUSDT": (500, b"<html>")}) as base:
        with pytest.raises(Retry, match="openOrders for BTCUSDT: HTTP 500, code 0") as failure:
            cancel_all(["spot", base, "BTCUSDT", "ETHUSDT"])
        assert len(Venue.asked) == 2
    assert "secret" not in str(failure.value)
    with pytest.raises(Retry, match="for BTCUSDT"):
        cancel_all(["spot", base, "BTCUSDT"])
    monkeypatch.delenv("BINANCE_API_KEY")
    with pytest.raises(Retry, match="expected both in the environment"):
        cancel_all(["spot", base, "BTCUSDT"])


def test_the_signature_covers_the_query() -> None:
    # HMAC-SHA256 of the query with the key "secret", computed with openssl.
    query = "symbol=BTCUSDT&recvWindow=5000&timestamp=1700000000000"
    expected = "65e4e3fc2c881af6d2ea1a92d67863459e077a2966510d365b21fa174819fd39"
    assert signed_query("BTCUSDT", "secret", 1_700_000_000_000) == f"{query}&signature={expected}"


@pytest.mark.parametrize("words", [[], ["spot", "http://x"], ["margin", "http://x", "A"], ["spot", "ftp://x", "A"]])
def test_bad_words_are_refused(words: list[str]) -> None:
    with pytest.raises(MissingInput, match="expected spot or usdm, an http"):
        parse_target(words)


def test_good_words_are_understood() -> None:
    assert parse_target(["usdm", "https://x/", "A", "B"]) == CancelTarget(Market.USDM, "https://x", ("A", "B"))


def test_countdowns_are_renewed_with_every_beat_and_ended_in_the_end() -> None:
    sent: list[tuple[str, int]] = []

    def send(symbol: str, milliseconds: int) -> None:
        if symbol == "B":
            raise Retry("rate limit")
        sent.append((symbol, milliseconds))

    renewal = CountdownRenewal(("A", "B", "C"), send, 10_000, 500)
    assert renewal.task.every_ns == 500_000_000
    renewal.task.action(floor().access, 0)
    renewal.end()
    assert sent == [("A", 10_000), ("C", 10_000), ("A", 0), ("C", 0)]
    assert renewal.failures == 2
