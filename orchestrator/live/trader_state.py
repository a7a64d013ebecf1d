"""What flash-crash traders keep over a restart, and what their detectors did, for the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from market.detector.states import Reading, Signal
from market.detector.transitions import Transition
from market.errors import Rejected
from market.protocols import Clock, Strategy
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.storage.records import Area, StateChanged
from orchestrator.strategies.flash_crash.trader import FlashCrash

Save = Callable[[str, int, bytes], None]
"""Keeps the state of a component, by name, time and content."""
Keep = Callable[[StateChanged], None]
_EVERY_NS: Final = 1_000_000_000


def restore_traders(strategies: Iterable[Strategy], saved: Mapping[str, bytes], clock: Clock, keep: Keep) -> None:
    """Let traders go on from what an earlier run saved; one whose state does not fit begins anew, and that is told."""
    for trader in strategies:
        content = saved.get(component(trader))
        if not isinstance(trader, FlashCrash) or content is None:
            continue
        try:
            trader.restore(content)
        except Rejected as refusal:
            keep(
                StateChanged(
                    time_ns=clock.now_ns(),
                    area=Area.DETECTOR,
                    source=trader.tag,
                    before="saved",
                    after=trader.standing.name,
                    detail=str(refusal),
                )
            )


def trader_tasks(strategies: Iterable[Strategy], every_ms: int, save: Save, keep: Keep) -> Sequence[PeriodicTask]:
    """Write down what happened, every second; nothing where no trader runs.

    A state is saved every ``every_ms``, and every second after a transition or while something is held or ordered.
    """
    traders = [trader for trader in strategies if isinstance(trader, FlashCrash)]
    due_ns = dict.fromkeys((trader.tag for trader in traders), 0)

    def write(run: RunAccess, now_ns: int) -> None:
        for trader in traders:
            transitions = trader.take_transitions()
            for transition in transitions:
                keep(_change(trader.tag, transition))
            if transitions or trader.is_trading or now_ns >= due_ns[trader.tag]:
                save(component(trader), now_ns, trader.save())
                due_ns[trader.tag] = now_ns + every_ms * 1_000_000

    return [PeriodicTask("flash-crash traders", _EVERY_NS, write)] if traders else []


def component(trader: Strategy) -> str:
    """The name under which a trader's state is kept."""
    return f"strategy {trader.tag}"


def _change(tag: str, transition: Transition) -> StateChanged:
    """A transition with all the values that caused it."""
    signals = " ".join(signal.name or "" for signal in Signal if signal in transition.signals)
    values = " ".join(f"{reading.name.lower()}={transition.values[reading]:.9g}" for reading in Reading)
    return StateChanged(
        time_ns=transition.time_ns,
        area=Area.DETECTOR,
        source=tag,
        before=transition.before.name,
        after=transition.after.name,
        detail=f"{transition.cause.name}; {signals}; {values}",
    )
