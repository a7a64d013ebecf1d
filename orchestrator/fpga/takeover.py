"""Taking a board over: whatever it did before, it is killed, emptied, and looks like an engine after its reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from market.errors import Fatal, MissingInput
from market.fastpath.specification import EngineSizes, Refusal, Result
from orchestrator.clock import SystemClock
from orchestrator.fpga.fresh_view import Baseline, volumes_of
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.markets import BoardMarkets

EPOCH: Final = 0
"""Older than any that a gateway acts on."""
STATUS_EVERY_NS: Final = 10_000_000
"""Between two statuses that nobody asked for: after so long without a step the next one makes a status."""
_ALL_VENUES: Final = 255


def take_over(
    host: BoardHost,
    sizes: EngineSizes,
    markets: BoardMarkets,
    clock: SystemClock,
    *,
    settles_ns: int,
    say: Callable[[str], None] = lambda text: None,
) -> Baseline:
    """Kill a board, clear what earlier hosts left in it, give it its channels; returns where it then stood.

    Tables that the host does not write are left: without quotes and channels they have no effect.

    Parameters
    ----------
    settles_ns: after so long no earlier trigger counts against rate and cooldown any more.
    say: told what people should know.

    Raises Retry where nobody answers, MissingInput for a board of other sizes than the settings say.
    """
    host.adopt()
    before, _ = host.status()
    if not before["killed"]:
        say("the board was still armed for another run: it has been killed")
    host.hello(EPOCH)
    began_ns = clock.monotonic_ns()
    check_sizes(host, sizes, before["id"])
    is_new = before["step"] == 1
    if not is_new:
        for name, fields in _emptied(sizes, before["id"]):
            host.apply(name, **fields)
    _write_channels(host, sizes.channels if not is_new else len(markets.markets), markets)
    baseline = _read_all(host, sizes)
    host.listen(max(STATUS_EVERY_NS, settles_ns - (clock.monotonic_ns() - began_ns)))
    return baseline


def check_sizes(host: BoardHost, sizes: EngineSizes, last_id: int) -> None:
    """Find out by what a killed board refuses how large it is; the position of its last market is 0 afterwards.

    Raises MissingInput for other sizes than those asked for. ``last_id``: of its last trigger.
    """
    last, most = (sizes.instruments - 1, sizes.venues - 1), (1 << sizes.price_bits) - 1
    tried = (
        ("instruments", (sizes.instruments, 0), 0, Refusal.UNKNOWN_ROW),
        ("venues", (0, sizes.venues), 0, Refusal.UNKNOWN_ROW),
        ("price_bits", last, most + 1, Refusal.BAD_VALUE),
        ("instruments, venues or price_bits", last, most, Refusal.NONE),
        ("instruments, venues or price_bits", last, 0, Refusal.NONE),
    )
    for name, (instrument, venue), position, expected in tried:
        row = {"lastId": last_id, "instrument": instrument, "venue": venue, "position": position}
        answer = host.send("SetPosition", **row, pendingBuy=0, pendingSell=0)
        if answer.refusal is not expected:
            asked = f"{sizes.instruments} instruments, {sizes.venues} venues, prices of {sizes.price_bits} bits"
            raise MissingInput(
                f"the board was built for other engine.{name} than the settings say ({asked}): it answered a row at "
                f"that bound with {answer.refusal.name}, expected {expected.name}"
            )


def _emptied(sizes: EngineSizes, last_id: int) -> Iterator[tuple[str, dict[str, int]]]:
    """Messages that leave a killed board without quotes, positions, bases and identity."""
    yield "Reset", {"venue": _ALL_VENUES}
    for instrument in range(sizes.instruments):
        for venue in range(sizes.venues):
            where = {"lastId": last_id, "instrument": instrument, "venue": venue}
            yield "SetPosition", {**where, "position": 0, "pendingBuy": 0, "pendingSell": 0}
    yield "LoadIdentity", {"id": 0, "parity": 0}


def _write_channels(host: BoardHost, channels: int, markets: BoardMarkets) -> None:
    """So many, those of the markets on, all others off; fewer where the board has fewer."""
    for name, fields in markets.rows(channels):
        answer = host.send(name, **fields)
        if answer.result is Result.APPLIED:
            continue
        if answer.refusal is Refusal.UNKNOWN_ROW and not fields["enabled"]:
            return
        raise Fatal(f"the board refused channel {fields['channel']}: {answer.refusal.name}")


def _read_all(host: BoardHost, sizes: EngineSizes) -> Baseline:
    """A status of each instrument, the last with a number that is a multiple of theirs."""
    volumes: dict[int, Mapping[str, int]] = {}
    while True:
        status, _ = host.status()
        volumes[int(status["volumeInstrument"])] = volumes_of(status)
        if len(volumes) == sizes.instruments and status["number"] % sizes.instruments == 0:
            return Baseline(status, volumes)
