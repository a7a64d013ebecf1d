"""The doctor finds what would go wrong in a run, asks venues for real, and shows no secret."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from config.credentials import Credentials
from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from orchestrator.cli.entry import main
from orchestrator.feeds.health import HealthMetrics, SourceState
from orchestrator.live import doctor_venues
from orchestrator.live.doctor import PERMISSIONS_PATH, examine
from orchestrator.live.findings import Finding, Grade
from sim.feed.session_frames import Session
from sim.feed.session_server import SessionServer
from tests.orchestrator.live.test_other_venues import datagrams, kraken, kraken_profile, profile

KEYS = Credentials(binance_api_key=SecretStr("the-key"), binance_api_secret=SecretStr("the-secret"))
NO_KEYS = Credentials()
TRADING = {"enableSpotAndMarginTrading": True, "enableWithdrawals": False, "ipRestrict": True}


@contextmanager
def venue(answers: Mapping[str, Callable[[Mapping[str, list[str]]], tuple[int, Any]]]) -> Iterator[str]:
    """A web server that answers paths."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            code, body = answers[parts.path](parse_qs(parts.query))
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def at(ahead_ms: int = 0) -> Callable[[Mapping[str, list[str]]], tuple[int, Any]]:
    return lambda query: (200, {"serverTime": time.time_ns() // 1_000_000 + ahead_ms})


def settings(folder: Path, http: str, extra: str = "") -> Settings:
    profile = folder / "profile.toml"
    profile.write_text(
        f'extends = "demo"\n[storage]\njournal = "{folder}"\n{extra}\n'
        f'[venues.binance-spot.addresses]\nhttp = "{http}"\n[venues.binance-usdm.addresses]\nhttp = "{http}"\n',
        encoding="utf-8",
    )
    return load_settings(profile)


def found(chosen: Settings, credentials: Credentials = NO_KEYS) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(chosen, credentials)}


def test_a_machine_with_venues_in_reach_is_fit(tmp_path: Path) -> None:
    with venue({"/api/v3/time": at(), "/fapi/v1/time": at(), PERMISSIONS_PATH: lambda query: (200, TRADING)}) as http:
        findings = found(settings(tmp_path, http), KEYS)
    assert findings["binance-spot clock"].grade is Grade.GOOD
    assert findings["binance-usdm clock"].grade is Grade.GOOD
    assert findings["disk"].grade is not Grade.FAILED
    assert findings["keys"] == Finding(
        "keys", Grade.GOOD, "may trade, may not withdraw, bound to addresses", "bind the keys to this machine's address"
    )


def test_a_clock_that_is_wrong_is_found(tmp_path: Path) -> None:
    with venue({"/api/v3/time": at(5_000), "/fapi/v1/time": at(-60_000)}) as http:
        findings = found(settings(tmp_path, http))
    assert findings["binance-spot clock"].grade is Grade.FAILED
    assert findings["binance-usdm clock"].grade is Grade.FAILED
    assert "ms apart" in findings["binance-usdm clock"].seen


def test_keys_that_may_withdraw_are_refused(tmp_path: Path) -> None:
    answers = {"/api/v3/time": at(), "/fapi/v1/time": at()}
    allowed = {**TRADING, "enableWithdrawals": True}
    with venue({**answers, PERMISSIONS_PATH: lambda query: (200, allowed)}) as http:
        finding = found(settings(tmp_path, http), KEYS)["keys"]
    assert (finding.grade, finding.seen) == (Grade.FAILED, "they may withdraw")


@pytest.mark.parametrize("body", [{"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, []])
def test_an_answer_that_is_none_fails_and_shows_no_secret(tmp_path: Path, body: object) -> None:
    code = 401 if isinstance(body, dict) else 200
    answers = {"/api/v3/time": at(), "/fapi/v1/time": at(), PERMISSIONS_PATH: lambda query: (code, body)}
    with venue(answers) as http:
        finding = found(settings(tmp_path, http), KEYS)["keys"]
    assert finding.grade is Grade.FAILED
    assert not any(secret in str(finding) for secret in ("the-key", "the-secret", "signature"))


def test_a_venue_out_of_reach_fails(tmp_path: Path) -> None:
    findings = found(settings(tmp_path, "http://127.0.0.1:9"))
    assert findings["binance-spot reachable"].grade is Grade.FAILED
    assert "did not answer" in findings["binance-spot reachable"].seen


def test_a_core_that_is_not_ours_fails(tmp_path: Path) -> None:
    findings = found(settings(tmp_path, "http://127.0.0.1:9", "[loop]\ncore = 4095"))
    assert findings["cores"].grade is Grade.FAILED


def test_the_command_ends_with_one_when_a_check_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings(tmp_path, "http://127.0.0.1:9")
    assert main(["doctor", "--profile", "profile.toml", "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["fit"] is False
    assert {"check", "grade", "seen", "remedy"} <= result["findings"][0].keys()


class KrakenTime(dict[str, str]):
    """The answer to the question for the time, as of when it is asked."""

    def __init__(self, behind_s: int = 0) -> None:
        super().__init__()
        self._behind_s = behind_s

    def get(self, path: str, default: Any = None) -> Any:
        stated = {"error": [], "result": {"unixtime": int(time.time()) - self._behind_s}}
        return json.dumps(stated) if path == "/0/public/Time" else default


def test_a_venue_over_ccxt_is_listened_to(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with kraken(data) as server:
        chosen = load_settings(kraken_profile(tmp_path, server), environment={})
        server.extra = KrakenTime()
        findings = found(chosen)
        heard, clock = findings["kraken market data"], findings["kraken clock"]
        assert clock.grade is Grade.GOOD
        assert heard.grade is not Grade.FAILED
        assert " messages, 0 refused, live" in heard.seen
        server.extra = KrakenTime(behind_s=60)
        monkeypatch.setattr(doctor_venues, "_LISTEN_S", 0.1)
        assert found(chosen)["kraken clock"].grade is Grade.FAILED


def test_a_venue_over_ccxt_that_is_away_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_venues, "_LISTEN_S", 0.1)
    nowhere = SessionServer(
        Session(VenueName.KRAKEN, (), {}), http_url="http://127.0.0.1:9", ws_url="ws://127.0.0.1:9/ws"
    )
    findings = found(load_settings(kraken_profile(tmp_path, nowhere), environment={}))
    assert findings["kraken reachable"].grade is Grade.FAILED
    assert findings["kraken market data"].grade is Grade.FAILED
    assert "nothing came in 0.1 s" in findings["kraken market data"].seen


def test_datagrams_are_listened_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def examined(port: int) -> Finding:
        feed = f'[feeds.sources.binance-spot]\nform = "udp"\nudp.port = {port}\n'
        file = profile(tmp_path, "binance-spot", "BTC", "BTCUSDT", feed, quantity_decimals=5)
        away = '[venues.binance-spot.addresses]\nhttp = "http://127.0.0.1:9"\n'
        file.write_text(file.read_text("utf-8") + away, encoding="utf-8")
        return found(load_settings(file, environment={}))["binance-spot market data"]

    with datagrams() as port:
        heard = examined(port)
    assert heard.grade is Grade.GOOD
    assert re.fullmatch(r"\d+ messages, 0 refused, live, -?\d+ ms old", heard.seen)
    monkeypatch.setattr(doctor_venues, "_LISTEN_S", 0.1)
    assert examined(port).grade is Grade.FAILED


@pytest.mark.parametrize(
    ("age_ms", "grade", "says"),
    [(5, Grade.GOOD, "see"), (900, Grade.WARNING, "ahead"), (-900, Grade.FAILED, "the clock here is behind")],
)
def test_the_age_of_market_data_tells_of_clocks(age_ms: int, grade: Grade, says: str) -> None:
    numbers: dict[str, Any] = dict.fromkeys(HealthMetrics.__struct_fields__, 0)
    numbers |= {"source": "kraken", "state": SourceState.LIVE, "latency_mean_ns": age_ms * 10**6}
    finding = doctor_venues._heard(VenueName.KRAKEN, HealthMetrics(**numbers), 9, [], 100, 500)
    assert finding.grade is grade
    assert says in finding.remedy
