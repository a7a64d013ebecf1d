"""Who runs trials: this process, processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from multiprocessing.connection import Connection
from typing import Any, Final, ParamSpec, TypeVar

from config.optimizer import OptimizerSettings
from market.errors import Fatal, MissingExtra, Retry

P = ParamSpec("P")
R = TypeVar("R")
CONNECT_S: Final = 10


@dataclass(frozen=True)
class Workers:
    """Who runs trials.

    Parameters
    ----------
    count: trials that run at a time. at_once: trials that are handed over; one more than run, so that none waits.
    """

    executor: Executor
    count: int

    @property
    def at_once(self) -> int:
        """With one worker none is drawn before the last is finished: the result is the same each time."""
        return self.count if self.count == 1 else self.count + 1


@contextmanager
def open_workers(settings: OptimizerSettings) -> Iterator[Workers]:
    """The workers that the settings ask for; whatever they still do is given up at an error or interrupt.

    Raises MissingExtra without Dask, Retry when no scheduler answers or it has no worker.
    """
    count = settings.workers or len(os.sched_getaffinity(0))
    if settings.cluster:
        with _cluster(settings.cluster) as workers:
            yield workers
    elif count == 1:
        yield Workers(Here(), 1)
    else:
        with _processes(count) as workers:
            yield workers


class Here(Executor):
    """Runs what it is given at once, in this process."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """The finished future; raises what the call raises."""
        future: Future[R] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@contextmanager
def _processes(count: int) -> Iterator[Workers]:
    # Fresh processes: a copy of this one would hold its threads' locks. They end when the pipe does, so none is left
    # behind by a process that was killed, and none runs on after an interrupt.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(ours,))
    try:
        yield Workers(executor, count)
    except BrokenProcessPool as error:
        theirs.close()
        executor.shutdown(wait=True, cancel_futures=True)
        raise Fatal(
            "a process that ran trials was ended by something else; where memory is short, lower optimizer.workers. "
            "The same command goes on"
        ) from error
    except BaseException:
        theirs.close()
        executor.shutdown(wait=True, cancel_futures=True)
        raise
    else:
        executor.shutdown(wait=True)
        theirs.close()
    finally:
        ours.close()


def _begin(lifeline: Connection) -> None:
    """Leave interrupts to the process that handed out the work, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[Workers]:
    try:
        import distributed
    except ImportError as error:
        raise MissingExtra(
            f"optimizer.cluster needs Dask ({error}); install the extra: pip install 'tickwire[tune]'"
        ) from error
    connect: Callable[..., Any] = distributed.Client
    try:
        client = connect(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Retry(f"optimizer.cluster was {address}: no Dask scheduler answers there: {error}") from error
    try:
        threads = sum(client.nthreads().values())
        if not threads:
            raise Retry(f"optimizer.cluster was {address}: the scheduler has no workers; start some with dask worker")
        check_versions(address, client.run(metadata.version, "tickwire", on_error="return"))
        executor = client.get_executor(pure=False)
        try:
            yield Workers(executor, threads)
        except (distributed.KilledWorker, CancelledError) as error:
            raise Retry(
                f"optimizer.cluster was {address}: its workers are lost ({error}); the same command goes on"
            ) from error
        finally:
            executor.shutdown(wait=False)
    finally:
        client.close(timeout=CONNECT_S)


def check_versions(address: str, versions: Mapping[str, object]) -> None:
    """Raise Retry for a worker of a cluster with another version of Tickwire, or none; ``versions`` by worker."""
    ours = metadata.version("tickwire")
    for worker, theirs in versions.items():
        if theirs != ours:
            raise Retry(
                f"optimizer.cluster was {address}: worker {worker} has Tickwire {theirs!r}, expected {ours}; start it "
                "in an environment with this version"
            )
