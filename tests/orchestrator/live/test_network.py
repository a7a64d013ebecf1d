"""The network thread runs coroutines of other threads, tells of their errors, and ends with what runs in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

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
