"""A random host: writes tables, settles, kills and rearms, and now and then does everything wrong.

It looks into a reference engine as a host looks into status messages, so that most of what it sends is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from market.fastpath.conformance.case import SCHEMA, Control, Input, Quote, RawControl, Trade
from market.fastpath.conformance.market_model import HIGHEST, LOWEST, MarketModel
from market.fastpath.conformance.random_frames import RandomFrames
from market.fastpath.conformance.random_lines import RandomLines
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import Feed, Side
from market.wire.sbe import Primitive

MS = 1_000_000
BAD_NUMBERS = (LOWEST, -1, 0, 1 << 24, 1 << 48, 1 << 56, 1 << 62, HIGHEST)


class RandomHost:
    """Makes the inputs of a random run, one at a time, each with its time in ns."""

    def __init__(self, engine: ReferenceEngine, seed: int, with_frames: bool, line_feeds: Sequence[Feed] = ()) -> None:
        self._state = engine.state
        self._sizes = engine.state.sizes
        self._market = MarketModel(np.random.default_rng(seed), engine.state.sizes)
        self._now = 1_000_000_000
        self._frames = RandomFrames(self._market, engine.state.sizes) if with_frames else None
        self._lines = RandomLines(self._market, engine.state, line_feeds) if with_frames and line_feeds else None
        self._waiting = list(self._first_messages())
        self._controls: tuple[tuple[int, Callable[[], Control]], ...] = (
            (20, self._settle),
            (8, self._heartbeat),
            (8, self._rearm),
            (5, self._instrument_row),
            (4, self._venue_row),
            (3, self._set_position),
            (2, self._engine_row),
            (2, self._load_basis),
            (2, self._scaling_row),
            (2, lambda: self._message("StatusRequest")),
            (1, lambda: self._message("Kill")),
            (1, self._reset),
            (1, self._load_identity),
            (1, self._hello),
            (1, self._channel_row),
        )
        if self._lines is not None:
            self._controls += ((20, self._lines.load), (3, self._lines.some_row))
        self._loading: Iterator[Control] = iter(())

    def next_input(self) -> tuple[int, Input]:
        """The next input and its time."""
        self._now += self._pause()
        if self._waiting:
            return self._now, self._sequenced(self._waiting.pop(0))
        loading = next(self._loading, None)
        if loading is not None:
            return self._now, self._sequenced(loading)
        at = self._now
        if self._market.chance(0.01):
            at = self._market.one_of((at - 1, at - 50 * MS, 0, -1, LOWEST, 1 << 62, HIGHEST))
        draw = self._market.below(100)
        if self._state.killed and draw < 8:
            return at, self._sequenced(self._rearm())
        if self._lines is not None and self._market.chance(0.03):
            self._loading = self._lines.load_in_one_go()
        if self._frames is not None and self._lines is not None and draw < 45:
            return at, self._line_packet(self._frames, self._lines)
        if draw < (82 if self._lines is None else 65):
            return at, self._fed(self._market.quote())
        if draw < 86:
            return at, self._fed(self._market.bad_quote())
        if draw < 90:
            return at, self._fed(self._market.trade())
        return at, self._some_control()

    def _fed(self, event: Quote | Trade) -> Input:
        if self._frames is None:
            return event
        if (
            self._lines is not None
            and (event.instrument, event.venue) in self._lines.pairs
            and self._market.chance(0.9)
        ):
            return self._line_packet(self._frames, self._lines)
        return self._frames.wrapped(event)

    @staticmethod
    def _line_packet(frames: RandomFrames, lines: RandomLines) -> Input:
        port, payload = lines.packet()
        return frames.carried(payload, port, damage=0.1)

    def _pause(self) -> int:
        """Mostly microseconds, often nothing, sometimes long enough for quotes to become stale."""
        draw = self._market.below(100)
        if draw < 25:
            return 0
        if draw < 97:
            return self._market.below(20_000)
        return self._market.below(20 * MS)

    def _some_control(self) -> Input:
        draw = self._market.below(sum(weight for weight, _ in self._controls))
        for weight, make in self._controls:
            draw -= weight
            if draw < 0:
                control = make()
                break
        message = self._sequenced(control)
        draw = self._market.below(40)
        if draw == 0:
            wrong = self._market.one_of(
                (0, self._state.last_sequence, self._state.expected_sequence + 1, (1 << 64) - 1)
            )
            return Control(message.message, {**message.fields, "sequence": wrong})
        if draw == 1:
            return RawControl(self._spoiled(message.payload()))
        return message

    def _spoiled(self, payload: bytes) -> bytes:
        if self._market.chance(0.5):
            return payload[: self._market.below(len(payload))]
        changed = bytearray(payload)
        changed[self._market.below(8)] ^= 1 << self._market.below(8)
        return bytes(changed)

    def _sequenced(self, control: Control) -> Control:
        return Control(control.message, {"sequence": self._state.expected_sequence, **control.fields})

    def _message(self, name: str, **fields: Any) -> Control:
        """A message, in one of thirty with one number out of its range."""
        if fields and self._market.chance(1 / 30):
            changed = self._market.one_of(tuple(field for field in fields if field != "leads"))
            signed_64 = SCHEMA.message(name).fields[changed].primitive is Primitive.INT64
            fields[changed] = self._market.one_of(BAD_NUMBERS if signed_64 else (0, 1, 3, 7, 17, 100, 127))
        return Control(name, fields)

    def _first_messages(self) -> Iterator[Control]:
        yield Control("Hello", {"sequence": 1, "epoch": 1})
        yield self._engine_row()
        for venue in range(self._sizes.venues):
            yield self._venue_row(venue)
            for instrument in range(self._sizes.instruments):
                yield self._scaling_row((instrument, venue))
        for instrument in range(self._sizes.instruments):
            yield self._instrument_row(instrument)
        if self._frames is not None:
            yield from self._frames.channel_rows()
        if self._lines is not None:
            yield from self._lines.rows()
        yield self._heartbeat()

    def _heartbeat(self) -> Control:
        return self._message("Heartbeat")

    def _hello(self) -> Control:
        sequence = self._market.one_of((self._state.expected_sequence, 1, 1_000_000))
        return Control("Hello", {"sequence": sequence, "epoch": self._state.epoch + 1})

    def _rearm(self) -> Control:
        wrong = self._market.chance(0.1)
        return Control("Rearm", {"statusNumber": self._state.status_number - (wrong and self._state.status_number > 0)})

    def _engine_row(self) -> Control:
        interval = 2_048 + self._market.below(self._market.one_of((100, 10_000, 200_000)))
        tolerance = self._market.below(self._market.one_of((1, 3, 63))) * interval
        lease = self._market.one_of((20 * MS, 200 * MS, 1_000 * MS))
        if self._market.chance(0.05):
            tolerance = 62 * interval + self._market.below(2)
        return Control("EngineRow", {"rateInterval": interval, "rateTolerance": tolerance, "lease": lease})

    def _venue_row(self, venue: int | None = None) -> Control:
        return self._message(
            "VenueRow",
            venue=self._market.below(self._sizes.venues) if venue is None else venue,
            enabled=int(not self._market.chance(0.05)),
            fee=self._market.below(385) - 128,
            maximumAge=self._market.one_of((MS, 30 * MS, 3_000 * MS)),
            maximumSilence=self._market.one_of((MS, 30 * MS, 3_000 * MS)),
        )

    def _scaling_row(self, pair: tuple[int, int] | None = None) -> Control:
        instrument, venue = pair or self._market.some_pair()
        price_shift, quantity_shift = self._market.shifts[instrument, venue]
        price_exponent, quantity_exponent = self._market.exponents[instrument, venue]
        return self._message(
            "ScalingRow",
            instrument=instrument,
            venue=venue,
            priceExponent=price_exponent,
            quantityExponent=quantity_exponent,
            priceShift=price_shift,
            quantityShift=quantity_shift,
        )

    def _instrument_row(self, instrument: int | None = None) -> Control:
        market, top = self._market, self._sizes.top
        if instrument is None:
            instrument = market.some_pair()[0]
        step, mid = market.steps[instrument], market.mids[instrument]
        low, high = max(0, mid - (1 + market.below(200)) * step), min(top, mid + (1 + market.below(200)) * step)
        maximum_quantity = min(top, 1 + market.below(100_000))
        notional = high * maximum_quantity - market.chance(0.05)
        return self._message(
            "InstrumentRow",
            instrument=instrument,
            enabled=int(not market.chance(0.05)),
            kinds=market.one_of((7, 7, 7, 1, 2, 4, 3, 5, 6, 0)),
            basisShift=market.below(17),
            imbalanceThreshold=market.one_of((1, 8_192, 16_384, 26_214, 32_767)),
            minimumEdge=market.below(30 * step) - 10 * step,
            basisThreshold=1 + market.below(40 * step),
            basisInterval=market.one_of((0, 1_000, 100_000, MS, 10 * MS)),
            maximumSpread=min(top, market.below(5 * step)),
            minimumQuantity=1 + market.below(min(50, maximum_quantity)),
            maximumQuantity=maximum_quantity,
            priceLow=low,
            priceHigh=high,
            maximumNotionalLow=max(0, notional) & ((1 << 64) - 1),
            maximumNotionalHigh=max(0, notional) >> 64,
            basisWarmUp=market.one_of((0, 1, 2, 50)),
            cooldown=market.one_of((0, 0, 5_000, 200_000)),
            positionLimit=market.one_of((100_000, 1_000_000, top)),
            leads=[{"mask": market.below(1 << self._sizes.venues)} for _ in range(self._sizes.venues)]
            if market.chance(0.5)
            else [{"mask": 0}] * self._sizes.venues,
        )

    def _channel_row(self) -> Control:
        instrument, venue = self._market.some_pair()
        return self._message(
            "ChannelRow",
            address=0xEF000001,
            port=30_000 + self._market.below(100),
            channel=self._market.below(self._sizes.channels + 1),
            instrument=self._market.one_of((instrument, 65_535)),
            venue=venue,
            feed=self._market.below(6),
            enabled=self._market.below(2),
        )

    def _settle(self) -> Control:
        """Of the busiest of some holdings, all or part; now and then more than there is."""
        pairs = [self._market.some_pair() for _ in range(4)]
        holdings = [(i, v, self._state.holdings[i][v]) for i, v in pairs]
        instrument, venue, holding = max(holdings, key=lambda found: found[2].pending_buy + found[2].pending_sell)
        side = Side.BUY if holding.pending_buy >= holding.pending_sell else Side.SELL
        pending = max(holding.pending_buy, holding.pending_sell)
        released = pending if self._market.chance(0.6) else self._market.below(pending + 1)
        filled = self._market.below(released + 1)
        if self._market.chance(0.05):
            released, filled = self._market.one_of(((pending + 1, 0), (0, 1), (-1, -1)))
        return Control(
            "Settle",
            {"instrument": instrument, "venue": venue, "side": int(side), "released": released, "filled": filled},
        )

    def _set_position(self) -> Control:
        instrument, venue = self._market.some_pair()
        return self._message(
            "SetPosition",
            lastId=max(0, self._state.last_id - self._market.chance(0.1)),
            instrument=instrument,
            venue=venue,
            position=self._market.below(100_001) - 50_000,
            pendingBuy=self._market.below(1_000),
            pendingSell=self._market.below(1_000),
        )

    def _reset(self) -> Control:
        return Control("Reset", {"venue": self._market.one_of((self._market.below(self._sizes.venues + 1), 255))})

    def _load_basis(self) -> Control:
        instrument = self._market.some_pair()[0]
        scale = self._market.steps[instrument] << 12
        return self._message(
            "LoadBasis",
            instrument=instrument,
            firstVenue=self._market.below(self._sizes.venues),
            secondVenue=self._market.below(self._sizes.venues + 1),
            samples=self._market.one_of((0, 1, 65_534, 65_535)),
            basis=self._market.below(40 * scale) - 20 * scale,
            sampleTime=max(0, self._now - self._market.below(20 * MS) + MS),
        )

    def _load_identity(self) -> Control:
        identity = self._market.one_of((0, 5, self._state.last_id, (1 << 64) - 3))
        return Control("LoadIdentity", {"id": identity, "parity": self._market.below(1 << 32)})
