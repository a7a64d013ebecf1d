"""The thread in which all networking of a live run happens."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import uvloop

from market.errors import Fatal

_T = TypeVar("_T")
_END_S: Final = 10.0
_AGAIN_S: Final = 4.0
"""Longer than tasks take to tidy up: asked again, they would not get to it."""


class NetworkThread:
    """One event loop in a thread of its own; a context manager that ends it, and cancels what still runs in it.

    Parameters
    ----------
    on_error: told of every task that ended by an error, from the network's thread.
    """

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._on_error = on_error
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(_END_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_END_S)
        if self._thread.is_alive():
            raise Fatal(f"the network thread did not end within {_END_S:g} s")

    def start(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Run a coroutine in the network's thread, from any thread; its error goes to ``on_error`` too."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        future.add_done_callback(self._check)
        return future

    def call(self, work: Coroutine[Any, Any, _T], timeout_s: float) -> _T:
        """Run a coroutine there and wait for its result; raises TimeoutError and what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def post(self, function: Callable[[], None]) -> None:
        """Call a function in the network's thread, soon."""
        self._loop.call_soon_threadsafe(function)

    def _check(self, future: Future[None]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._on_error(error)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        with warnings.catch_warnings():
            # uvloop closes connections that somebody left open, and warns of each. Where warnings are errors it would
            # not get to closing them, and wait for their ends for ever.
            warnings.simplefilter("ignore", ResourceWarning)
            self._loop.close()

    async def _cancel_all(self) -> None:
        await end_tasks([task for task in asyncio.all_tasks(self._loop) if task is not asyncio.current_task()])
        await self._loop.shutdown_asyncgens()


async def end_tasks(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait for their ends, whatever they end by.

    Asked again and again: in Python 3.11 ``asyncio.wait_for``, which libraries use, swallows a cancellation that comes
    together with what it waits for.
    """
    left = set(tasks)
    ended: set[asyncio.Future[Any]] = set()
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=_AGAIN_S)
        ended |= done
    await asyncio.gather(*ended, return_exceptions=True)
