"""The board that the settings name: found, taken over, and put behind the engine link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address

from config.credentials import BOARD_KEY, Credentials
from config.settings import Settings
from hdl.control.seal import KEY_BYTES
from market.errors import MissingInput
from market.fastpath.specification import EngineSizes
from market.receive.words import Endpoint
from orchestrator.clock import SystemClock
from orchestrator.engine.tables import NS_PER_MS, NS_PER_US, control_messages
from orchestrator.fpga.back_end import BoardBackEnd, BoardSockets, Stamp, unstamped
from orchestrator.fpga.fresh_view import FreshView
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.key_file import key_of
from orchestrator.fpga.markets import BoardMarkets
from orchestrator.fpga.takeover import take_over
from orchestrator.loop.sockets import open_control, open_sender
from sim.replay.framed import traded_pairs


def board_key(credentials: Credentials) -> bytes:
    """The key of the environment; raises MissingInput without one or for another length, without showing it."""
    if credentials.board_key is None:
        raise MissingInput(f"a board needs its key: set {BOARD_KEY} to the digits that tickwire fpga key wrote")
    text = credentials.board_key.get_secret_value()
    key = key_of(text)
    if key is None:
        raise MissingInput(f"{BOARD_KEY} has {len(text)} characters; expected {2 * KEY_BYTES} hexadecimal digits")
    return key


def board_markets(settings: Settings, address: IPv4Address) -> BoardMarkets:
    """The markets that the settings trade, in the order of their scaling rows, at the ports of the settings."""
    markets = traded_pairs(control_messages(settings))
    return BoardMarkets(markets, Endpoint(address, settings.engine.board.market_port))


@contextmanager
def open_board(
    settings: Settings,
    credentials: Credentials,
    sizes: EngineSizes,
    *,
    wake: Callable[[], None],
    say: Callable[[str], None],
    stamp: Stamp = unstamped,
) -> Iterator[BoardBackEnd]:
    """The board of the settings as a back end; killed and left at the end of the block.

    Parameters
    ----------
    stamp: as of ``BoardBackEnd``; with one the times are the host's.

    Raises Retry where nobody answers, MissingInput without a key or for a board of other sizes.
    """
    board, key, clock = settings.engine.board, board_key(credentials), SystemClock()
    at = Endpoint(IPv4Address(board.address), board.control_port)
    bind = IPv4Address(board.bind_address)
    markets = board_markets(settings, at.address)
    with ExitStack() as stack:
        opened = BoardSockets(
            stack.enter_context(open_control(Endpoint(bind, board.message_port))),
            stack.enter_context(open_control(Endpoint(bind, board.log_port))),
            stack.enter_context(open_sender()),
        )

        def post(datagram: bytes) -> None:
            opened.messages.sendto(stamp(0, datagram), (str(at.address), at.port))

        way = None if stamp is unstamped else post
        host = BoardHost(opened.messages, at, clock, key, board.answer_ms * NS_PER_MS / 1e9, way)
        baseline = take_over(host, sizes, markets, clock, settles_ns=_settles_ns(settings), say=say)
        back_end = BoardBackEnd(host, opened, at, FreshView(baseline, markets), markets, clock, wake, stamp)
        try:
            yield back_end
        finally:
            back_end.close()


def _settles_ns(settings: Settings) -> int:
    """After so long no earlier trigger counts against the rate or a cooldown."""
    engine = settings.engine
    cooldown_ns = max(instrument.cooldown_ms for instrument in settings.instruments.values()) * NS_PER_MS
    return max((engine.rate_interval_us + engine.rate_tolerance_us) * NS_PER_US, cooldown_ns)
