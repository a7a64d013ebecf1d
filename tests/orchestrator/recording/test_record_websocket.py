"""Recording of WebSocket feeds, from a server on this machine into files that the other commands read."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from config.venues import VenueName
from orchestrator.recording.presets import PRESETS, snapshot_urls, stream_urls
from orchestrator.recording.recorder import one_line
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.recording.servers import http_server, sending, websocket_server
from tests.orchestrator.replay.market_lines import spot_diff, spot_lines, spot_quote

BOOK = '{"lastUpdateId":5,"bids":[["61700.00","2"]],"asks":[["61700.01","2"]]}'
QUICK = ("--retry-after", "0.01")


def messages(path: Path) -> list[str]:
    """Messages of a recorded file; checks that each line has a time and that times do not step back."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [line.split(" ", 1) for line in data.decode().splitlines()]
    times = [int(stamp) for stamp, _ in lines]
    assert times == sorted(times)
    assert all(stamp > 1_600_000_000_000_000_000 for stamp in times)
    return [message for _, message in lines]


def test_messages_stand_on_lines_with_their_times(terminal: Terminal) -> None:
    sent = [spot_quote(number, "61700.00", "61700.01") for number in range(50)]
    with websocket_server(sending(*sent, stay=True)) as url:
        ended = terminal.run("record", "btc.gz", "--url", url, "--messages", "50", "--json")
    assert ended.code == 0
    assert messages(terminal.folder / "btc.gz") == sent
    assert ended.json["messages"] == 50
    assert ended.json["files"] == ["btc.gz"]
    assert ended.json["connections"] == 1
    assert not ended.json["interrupted"]


def test_what_was_recorded_can_be_replayed_and_inspected(terminal: Terminal) -> None:
    snapshot, *feed = [text.split(" ", 1)[1].strip() for text in spot_lines(600)[1:]]
    with http_server((200, snapshot)) as http:

        def play(connection: ServerConnection) -> None:
            connection.send(spot_diff(1, 5))
            connection.recv()
            for message in feed:
                connection.send(message)
            for _ in connection:
                pass

        # The order book arrives a second after the first message: what came before it must not be lost.
        with websocket_server(play) as url:
            address = ("--url", url, "--snapshot", f"{http}/depth?symbol=BTCUSDT", "--subscribe", "go")
            ended = terminal.run("record", "btc.zst", *address, "--messages", str(len(feed) + 2), "--json")
    assert (ended.code, ended.json["snapshots"]) == (0, 1)
    replayed = terminal.run("replay", "--source", "binance-spot=btc.zst", "--json")
    source = replayed.json["sources"]["binance-spot"]
    assert (replayed.code, source["synchronised"], source["gaps"], source["rejects"]) == (0, True, 0, {})
    inspected = terminal.run("inspect", "btc.zst", "--json").json["files"][0]
    assert (inspected["format"], inspected["venue"], inspected["symbols"]) == ("raw-lines", "binance-spot", ["BTCUSDT"])
    assert (inspected["records"], inspected["unreadable"]) == (len(feed) + 2, 0)


def test_the_order_book_stands_in_a_frame_that_names_its_stream(terminal: Terminal) -> None:
    with http_server((503, "busy"), (200, "{\n" + BOOK[1:])) as http, websocket_server(sending("{}", stay=True)) as url:
        address = ("--url", url, "--snapshot", f"{http}/depth?symbol=BTCUSDT&limit=1000")
        ended = terminal.run("record", "a", *address, *QUICK, "--messages", "2")
    assert ended.code == 0
    assert "HTTP Error 503" in ended.err
    recorded = json.loads(messages(terminal.folder / "a")[1])
    assert recorded == {"stream": "btcusdt@snapshot", "data": json.loads(BOOK)}


def test_a_connection_that_ends_is_made_anew(terminal: Terminal) -> None:
    scripts = (sending('{"n":1}'), sending('{"n":2}'), sending('{"n":3}', '{"n":4}', stay=True))
    with websocket_server(*scripts) as url:
        ended = terminal.run("record", "a", "--url", url, *QUICK, "--messages", "4", "--json")
    assert messages(terminal.folder / "a") == [f'{{"n":{number}}}' for number in range(1, 5)]
    assert ended.json["connections"] == 3
    assert "closed by the other side; again in 0.01 s (attempt 1 of 10)" in ended.err


def test_a_silent_connection_is_made_anew(terminal: Terminal) -> None:
    with websocket_server(sending('{"n":1}', stay=True), sending('{"n":2}', stay=True)) as url:
        ended = terminal.run("record", "a", "--url", url, *QUICK, "--silence", "0.1", "--messages", "2")
    assert "silent for 0.1 s" in ended.err
    assert messages(terminal.folder / "a") == ['{"n":1}', '{"n":2}']


def test_subscriptions_are_sent_again_on_every_connection(terminal: Terminal) -> None:
    def echo_two(connection: ServerConnection) -> None:
        for _ in range(2):
            connection.send(connection.recv())

    with websocket_server(echo_two) as url:
        words = ("--subscribe", '{"op":"a"}', "--subscribe", '{"op":"b"}')
        terminal.run("record", "a", "--url", url, *words, *QUICK, "--messages", "4")
    assert messages(terminal.folder / "a") == ['{"op":"a"}', '{"op":"b"}'] * 2


def test_several_addresses_go_into_one_file(terminal: Terminal) -> None:
    with websocket_server(sending('{"n":1}', stay=True)) as one, websocket_server(sending('{"n":2}', stay=True)) as two:
        terminal.run("record", "a", "--url", one, "--url", two, "--messages", "2")
    assert sorted(messages(terminal.folder / "a")) == ['{"n":1}', '{"n":2}']


def test_messages_that_fit_on_no_line_are_counted(terminal: Terminal) -> None:
    with websocket_server(sending(b"\x32\x00", '{\n"n":1}', "no\njson", '{"n":2}', stay=True)) as url:
        ended = terminal.run("record", "a", "--url", url, "--messages", "2", "--json")
    assert messages(terminal.folder / "a") == ['{"n":1}', '{"n":2}']
    assert ended.json["skipped"] == 2


def test_a_message_in_several_frames_is_put_together(terminal: Terminal) -> None:
    with websocket_server(lambda connection: connection.send(iter(['{"n":', "1", "}"]))) as url:
        terminal.run("record", "a", "--url", url, "--messages", "1")
    assert messages(terminal.folder / "a") == ['{"n":1}']


def test_files_rotate_and_each_begins_with_an_order_book_soon(terminal: Terminal) -> None:
    with http_server((200, BOOK)) as http:

        def paced(connection: ServerConnection) -> None:
            for number in range(30):
                connection.send(json.dumps({"n": number, "padding": "x" * 1000}))
            for _ in connection:
                pass

        with websocket_server(paced) as url:
            words = ("--url", url, "--snapshot", f"{http}/?symbol=A", "--rotate-mb", "0.02", "--messages", "31")
            ended = terminal.run("record", "a.gz", *words, "--json")
    assert ended.json["files"] == ["a-0001.gz", "a-0002.gz"]
    first, second = (messages(terminal.folder / name) for name in ended.json["files"])
    assert [json.loads(message).get("n") for message in first + second] == [*range(30), None]


def test_it_gives_up_after_so_many_failures(terminal: Terminal) -> None:
    with websocket_server(sending()) as url:
        pass
    ended = terminal.run("record", "a", "--url", url, *QUICK, "--attempts", "3")
    assert ended.code == 4
    assert "gave up after 3 attempts in a row" in ended.err


def test_an_interrupt_leaves_a_whole_file(tmp_path: Path) -> None:
    sent = [f'{{"n":{number}}}' for number in range(1000)]
    with websocket_server(sending(*sent, stay=True)) as url:
        for name, kind in (("int.gz", signal.SIGINT), ("term.gz", signal.SIGTERM)):
            command = [sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())"]
            with subprocess.Popen(
                [*command, "record", name, "--url", url, "--json"],
                cwd=tmp_path,
                env=os.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                while not (tmp_path / name).exists() or (tmp_path / name).stat().st_size < 100:
                    assert process.poll() is None
                process.send_signal(kind)
                out, err = process.communicate(timeout=60)
            assert process.returncode == 130
            assert messages(tmp_path / name) == sent
            assert json.loads(out)["interrupted"]
            assert "interrupted: 1,000 messages are recorded" in err


def test_a_full_disk_ends_the_recording_and_says_so(terminal: Terminal) -> None:
    with websocket_server(sending('{"n":1}', stay=True)) as url:
        ended = terminal.run("record", "/dev/full", "--overwrite", "--url", url, "--messages", "1")
    assert ended.code == 1
    assert "/dev/full: No space left on device; its end is missing" in ended.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "name one source"),
        (("--url", "ws://a", "--udp", "127.0.0.1:1"), "name one source"),
        (("--url", "http://a"), "must begin with ws:// or wss://"),
        (("--url", "ws://a", "--snapshot", "ftp://a"), "must begin with http:// or https://"),
        (("--venue", "binance-spot"), "--venue needs --symbol"),
        (("--url", "ws://a", "--symbol", "A"), "--symbol is for --venue"),
        (("--url", "ws://a", "--lines"), "--lines is for --udp"),
        (("--udp", "127.0.0.1"), "must be ADDRESS:PORT"),
        (("--udp", "localhost:1"), "must be an IPv4 address"),
        (("--udp", "127.0.0.1:70000"), "must be ADDRESS:PORT"),
        (("--udp", "127.0.0.1:1", "--subscribe", "x"), "do not go with --udp"),
    ],
)
def test_options_that_do_not_fit_are_refused(terminal: Terminal, words: tuple[str, ...], complaint: str) -> None:
    ended = terminal.run("record", "a", *words)
    assert ended.code == 2
    assert complaint in ended.err
    assert not (terminal.folder / "a").exists()


def test_presets_name_streams_and_order_books_of_each_symbol() -> None:
    assert set(PRESETS) == {name for name in VenueName if name.value.startswith("binance")}
    (spot,) = stream_urls(VenueName.BINANCE_SPOT, ["BTCUSDT", "ETHUSDT"])
    assert spot == (
        "wss://stream.binance.com:9443/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"
        "/ethusdt@depth@100ms/ethusdt@bookTicker/ethusdt@trade"
    )
    books, trades = stream_urls(VenueName.BINANCE_USDM, ["BTCUSDT"])
    assert books.endswith("/public/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker")
    assert trades.endswith("/market/stream?streams=btcusdt@aggTrade")
    assert snapshot_urls(VenueName.BINANCE_CM, ["btcusd_perp"]) == (
        "https://dapi.binance.com/dapi/v1/depth?symbol=BTCUSD_PERP&limit=1000",
    )


def test_numbers_keep_their_digits_when_a_message_is_put_on_one_line() -> None:
    assert one_line(b'{"p":\n "61700.10", "q": 1.50}') == b'{"p":"61700.10","q":1.50}'
    assert one_line(b"") is None
