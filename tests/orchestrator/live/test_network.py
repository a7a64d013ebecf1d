"""The network thread runs coroutines of other threads, tells of their errors, and ends with what runs in it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from orchestrator.live import network as network_module
from orchestrator.live.network import NetworkThread


def test_a_coroutine_runs_in_the_network_s_thread() -> None:
    async def name() -> str:
        return threading.current_thread().name

    with NetworkThread(errors_of([])) as network:
        assert network.call(name(), 5) == "network"


def test_an_error_is_told_and_raised() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    errors: list[BaseException] = []
    with NetworkThread(errors_of(errors)) as network:
        with pytest.raises(ValueError, match="broken"):
            network.start(fail()).result(5)
        network.call(asyncio.sleep(0), 5)
    assert [str(error) for error in errors] == ["broken"]


def test_what_still_runs_is_cancelled_at_the_end() -> None:
    ended = threading.Event()
    started = threading.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    errors: list[BaseException] = []
    with NetworkThread(errors_of(errors)) as network:
        network.start(forever())
        assert started.wait(5)
    assert ended.is_set()
    assert not errors


def errors_of(errors: list[BaseException]) -> Callable[[BaseException], None]:
    """A listener that keeps what it is told."""
    return errors.append


def test_a_task_that_swallows_a_cancellation_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``wait_for`` does, which then gives what has come at the same time."""
    monkeypatch.setattr(network_module, "_AGAIN_S", 0.05)
    started, swallowed = threading.Event(), list[asyncio.CancelledError]()

    async def deaf() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as once:
            swallowed.append(once)
        await asyncio.Event().wait()

    errors: list[BaseException] = []
    with NetworkThread(errors_of(errors)) as network:
        network.start(deaf())
        assert started.wait(60)
    assert len(swallowed) == 1
    assert not errors


def test_a_connection_that_somebody_left_open_is_closed_at_the_end() -> None:
    """uvloop warns of it; here, where warnings are errors, that must not keep it from ending."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        left = list[asyncio.BaseTransport]()

        async def leave() -> None:
            address = server.getsockname()
            transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, *address)
            left.append(transport)

        errors: list[BaseException] = []
        with NetworkThread(errors_of(errors)) as network:
            network.call(leave(), 60)
            opened, _ = server.accept()
        with opened:
            opened.settimeout(60)
            assert opened.recv(1) == b""
    assert not errors
