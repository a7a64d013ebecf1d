"""The doctor finds what would go wrong in a run, asks venues for real, and shows no secret."""

from __future__ import annotations

import json
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
from orchestrator.cli.entry import main
from orchestrator.live.doctor import PERMISSIONS_PATH, examine
from orchestrator.live.findings import Finding, Grade

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
