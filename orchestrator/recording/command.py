"""``tickwire record``: a live feed into a file."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from config.venues import VenueName
from market.errors import Fatal
from orchestrator.cli.exits import Interrupted
from orchestrator.cli.output import Output, with_output
from orchestrator.recording.backoff import Backoff
from orchestrator.recording.capture_file import CaptureFile, Rotation
from orchestrator.recording.datagrams import UdpAddress, record_datagrams
from orchestrator.recording.pcapng_file import Endpoint, preamble
from orchestrator.recording.presets import PRESETS, snapshot_urls, stream_urls
from orchestrator.recording.recorder import Recorder
from orchestrator.recording.websocket import FeedAddress, record_websockets

_NS_PER_MINUTE: Final = 60_000_000_000
_MEGABYTE: Final = 1_000_000
_SECONDS: Final = click.FloatRange(min=0, min_open=True)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of the command, as click reads them."""

    venue: str | None
    symbols: tuple[str, ...]
    urls: tuple[str, ...]
    subscribe: tuple[str, ...]
    snapshots: tuple[str, ...]
    udp: str | None
    interface: str
    lines: bool
    silence: float
    retry_after: float
    attempts: int
    rotate_mb: float | None
    rotate_minutes: float | None
    seconds: float | None
    messages: int | None
    overwrite: bool


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--venue", type=click.Choice([venue.value for venue in PRESETS]), help="Addresses of a venue.")
@click.option("--symbol", "symbols", multiple=True, help="Symbol at the venue, such as BTCUSDT; may be repeated.")
@click.option("--url", "urls", multiple=True, metavar="URL", help="ws:// or wss:// address; may be repeated.")
@click.option("--subscribe", multiple=True, metavar="TEXT", help="Message sent on each connection; may be repeated.")
@click.option("--snapshot", "snapshots", multiple=True, metavar="URL", help="Order book over HTTP; may be repeated.")
@click.option("--udp", metavar="ADDRESS:PORT", help="Local IPv4 address or multicast group to receive datagrams on.")
@click.option("--interface", default="0.0.0.0", show_default=True, help="Local address that joins the group.")
@click.option("--lines", is_flag=True, help="Write JSON datagrams as raw lines instead of pcapng.")
@click.option("--silence", default=60.0, show_default=True, type=_SECONDS, help="Seconds without a frame: reconnect.")
@click.option("--retry-after", default=1.0, show_default=True, type=_SECONDS, help="First pause in s; doubles to 60 s.")
@click.option("--attempts", default=10, show_default=True, type=click.IntRange(1), help="Failures in a row: give up.")
@click.option("--rotate-mb", type=_SECONDS, help="Begin a new file after so many MB of content.")
@click.option("--rotate-minutes", type=_SECONDS, help="Begin a new file after so many minutes.")
@click.option("--seconds", type=_SECONDS, help="Stop after so long.")
@click.option("--messages", type=click.IntRange(1), help="Stop after so many messages.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@with_output
def record(output: Output, /, out: Path, **words: Any) -> None:
    """Record a live feed into OUT, until interrupted.

    WebSocket feeds become lines '<receive ns> <json>', datagrams a pcapng file with nanosecond times. A name that ends
    in .gz or .zst is compressed; with rotation, files are numbered. Connections are made anew with growing pauses; an
    order book is fetched after every start of a connection or file, so that each file can be replayed on its own.

    \b
    tickwire record btc.gz --venue binance-spot --symbol BTCUSDT
    tickwire record feed.zst --url wss://host/ws --subscribe '{"op":"subscribe","args":["book"]}'
    tickwire record feed.pcapng --udp 239.111.111.1:6100 --interface 10.0.0.5
    """
    options = Options(**words)
    receive, content = _receiver(options)
    rotation = Rotation(
        content_bytes=_scaled(options.rotate_mb, _MEGABYTE),
        duration_ns=_scaled(options.rotate_minutes, _NS_PER_MINUTE),
    )
    file = CaptureFile(out, rotation, preamble=content, overwrite=options.overwrite)
    recorder = Recorder(file, limit=options.messages)
    file.open()
    interrupted = False
    try:
        interrupted = _until_interrupted(receive, recorder, output.note)
    except OSError as error:
        raise Fatal(f"{file.files[-1]}: {error.strerror or error}; its end is missing") from error
    finally:
        _show(output, recorder, interrupted=interrupted)
    if interrupted:
        raise Interrupted(f"{recorder.counts.messages:,} messages are recorded, the files are whole")


Receive = Callable[[Recorder, Callable[[str], None]], None]


def _until_interrupted(receive: Receive, recorder: Recorder, note: Callable[[str], None]) -> bool:
    """Receive and make the file whole, whatever happens; returns whether it was interrupted."""
    try:
        with _terminated_as_interrupted():
            receive(recorder, note)
    except KeyboardInterrupt:
        return True
    finally:
        recorder.file.close()
    return False


def _receiver(options: Options) -> tuple[Receive, bytes]:
    """What receives, and what each file begins with; raises UsageError for options that do not fit together."""
    if sum(bool(source) for source in (options.venue, options.urls, options.udp)) != 1:
        raise click.UsageError("name one source: --venue with --symbol, --url, or --udp")
    if options.udp is not None:
        return _udp(options, options.udp)
    if options.lines:
        raise click.UsageError("--lines is for --udp: a WebSocket feed is written as lines anyway")
    urls, snapshots = _addresses(options)
    address = FeedAddress(
        urls=urls,
        snapshots=snapshots,
        subscribe=options.subscribe,
        silence_s=options.silence,
        backoff=Backoff(first_s=options.retry_after, attempts=options.attempts),
    )

    def receive(recorder: Recorder, note: Callable[[str], None]) -> None:
        asyncio.run(record_websockets(address, recorder, note, seconds=options.seconds))

    return receive, b""


def _addresses(options: Options) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses of streams and of order books."""
    symbols = options.symbols
    if options.venue:
        if not symbols:
            raise click.UsageError("--venue needs --symbol, such as --symbol BTCUSDT")
        venue = VenueName(options.venue)
        return stream_urls(venue, symbols), options.snapshots or snapshot_urls(venue, symbols)
    if symbols:
        raise click.UsageError("--symbol is for --venue: an --url names its streams itself")
    for url in options.urls:
        if not url.startswith(("ws://", "wss://")):
            raise click.UsageError(f"--url was {url!r}: must begin with ws:// or wss://")
    for url in options.snapshots:
        if not url.startswith(("http://", "https://")):
            raise click.UsageError(f"--snapshot was {url!r}: must begin with http:// or https://")
    return options.urls, options.snapshots


def _udp(options: Options, local: str) -> tuple[Receive, bytes]:
    if options.symbols or options.subscribe or options.snapshots:
        raise click.UsageError("--symbol, --subscribe and --snapshot do not go with --udp")
    address = UdpAddress(
        local=_endpoint(local),
        interface=_ipv4("--interface", options.interface),
        as_lines=options.lines,
        silence_s=options.silence,
    )

    def receive(recorder: Recorder, note: Callable[[str], None]) -> None:
        record_datagrams(address, recorder, note, seconds=options.seconds, ready=lambda at: note(_listens(at)))

    return receive, b"" if address.as_lines else preamble()


def _listens(local: Endpoint) -> str:
    return f"listening on udp {local.address}:{local.port}"


def _endpoint(text: str) -> Endpoint:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 0xFFFF:
        raise click.UsageError(f"--udp was {text!r}: must be ADDRESS:PORT, such as 239.111.111.1:6100")
    return Endpoint(_ipv4("--udp", host), int(port))


def _ipv4(option: str, text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError:
        raise click.UsageError(f"{option} was {text!r}: must be an IPv4 address") from None


def _scaled(value: float | None, unit: int) -> int | None:
    return None if value is None else max(1, round(value * unit))


def _show(output: Output, recorder: Recorder, *, interrupted: bool) -> None:
    result = recorder.result() | {"interrupted": interrupted}
    output.table("Recorded", ("property", "value"), [(name.replace("_", " "), _text(result[name])) for name in result])
    output.emit(result)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else "none"


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Treat a request to terminate (SIGTERM, as service managers send it) as an interrupt."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
