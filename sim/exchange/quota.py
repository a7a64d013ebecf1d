"""How much may be asked: request weight per address, orders per account, and bans of who does not stop.

Source: "IP limits" and "Unfilled order count" of Binance's API documentation. Intervals start at whole multiples of
their length, as the venue's clock counts them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from sim.exchange.answers import BANNED, ApiError, Json

_SECOND_NS: Final = 10**9
_MILLISECOND_NS: Final = 10**6
_TOO_MANY: Final = int(HTTPStatus.TOO_MANY_REQUESTS)
_ADVICE: Final = "Please use WebSocket Streams for live updates to avoid"
_LETTERS: Final = {"SECOND": "S", "MINUTE": "M", "DAY": "D"}
_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "DAY": 86_400}


@dataclass(frozen=True, slots=True)
class Interval:
    """So many in so long: ``number`` times ``unit`` (SECOND, MINUTE or DAY)."""

    unit: str
    number: int
    limit: int

    @property
    def length_ns(self) -> int:
        """How long it lasts."""
        return _SECONDS[self.unit] * self.number * _SECOND_NS

    @property
    def letters(self) -> str:
        """As headers name it, such as 1M."""
        return f"{self.number}{_LETTERS[self.unit]}"

    @property
    def words(self) -> str:
        """As error texts name it."""
        return f"{self.number} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a venue allows.

    Parameters
    ----------
    weight: of requests from one address. orders: new orders of one account.
    patience: refusals by weight within one interval before the address is banned. ban_ns: how long.
    """

    weight: Interval
    orders: tuple[Interval, ...]
    patience: int = 10
    ban_ns: int = 120 * _SECOND_NS

    def described(self) -> list[Json]:
        """As exchangeInfo lists them."""
        weight: list[Json] = [_described("REQUEST_WEIGHT", self.weight)]
        return weight + [_described("ORDERS", interval) for interval in self.orders]


SPOT_LIMITS: Final = Limits(
    weight=Interval("MINUTE", 1, 6_000), orders=(Interval("SECOND", 10, 100), Interval("DAY", 1, 200_000))
)
FUTURES_LIMITS: Final = Limits(
    weight=Interval("MINUTE", 1, 2_400), orders=(Interval("SECOND", 10, 300), Interval("MINUTE", 1, 1_200))
)


@dataclass(slots=True)
class _Count:
    """How much was used in the interval that began last."""

    begun_ns: int = -1
    used: int = 0

    def at(self, now_ns: int, length_ns: int) -> int:
        begun_ns = now_ns - now_ns % length_ns
        if begun_ns != self.begun_ns:
            self.begun_ns, self.used = begun_ns, 0
        return self.used


@dataclass(slots=True)
class _Address:
    weight: _Count = field(default_factory=_Count)
    refusals: _Count = field(default_factory=_Count)
    banned_until_ns: int = 0


class Quota:
    """What has been used of the limits of one venue."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._addresses: dict[str, _Address] = {}
        self._orders: dict[tuple[str, Interval], _Count] = {}

    def spend(self, address: str, weight: int, now_ns: int) -> None:
        """Count a request; raises ApiError, 429 above the limit and 418 after too many of these."""
        interval = self.limits.weight
        caller = self._addresses.setdefault(address, _Address())
        if now_ns < caller.banned_until_ns:
            raise banned(caller.banned_until_ns, now_ns)
        caller.weight.at(now_ns, interval.length_ns)
        caller.weight.used += weight
        if caller.weight.used <= interval.limit:
            return
        caller.refusals.at(now_ns, interval.length_ns)
        caller.refusals.used += 1
        if caller.refusals.used > self.limits.patience:
            caller.banned_until_ns = now_ns + self.limits.ban_ns
            raise banned(caller.banned_until_ns, now_ns)
        text = f"Too much request weight used; current limit is {interval.limit} request weight per {interval.words}."
        raise _refused(-1003, f"{text} {_ADVICE} polling the API.", _TOO_MANY, _end_ns(interval, now_ns), now_ns)

    def order(self, account: str, orders: int, now_ns: int) -> None:
        """Count new orders of an account; raises ApiError 429 when there are too many, and then counts none."""
        for interval in self.limits.orders:
            if self._used(account, interval, now_ns) + orders > interval.limit:
                text = f"Too many new orders; current limit is {interval.limit} orders per {interval.words}."
                raise _refused(-1015, text, _TOO_MANY, _end_ns(interval, now_ns), now_ns)
        for interval in self.limits.orders:
            self._orders[account, interval].used += orders

    def headers(self, address: str, account: str, now_ns: int, *, orders: bool) -> dict[str, str]:
        """What HTTP answers say of the use; of orders only where the request was one."""
        headers = {f"X-MBX-USED-WEIGHT-{self.limits.weight.letters}": str(self._weight(address, now_ns))}
        if orders:
            for interval in self.limits.orders:
                headers[f"X-MBX-ORDER-COUNT-{interval.letters}"] = str(self._used(account, interval, now_ns))
        return headers

    def listed(self, address: str, account: str, now_ns: int, *, orders: bool) -> list[Json]:
        """What answers of the WebSocket API say of the use."""
        listed: list[Json] = []
        if orders:
            listed = [_described("ORDERS", one, self._used(account, one, now_ns)) for one in self.limits.orders]
        return [*listed, _described("REQUEST_WEIGHT", self.limits.weight, self._weight(address, now_ns))]

    def _weight(self, address: str, now_ns: int) -> int:
        caller = self._addresses.setdefault(address, _Address())
        return caller.weight.at(now_ns, self.limits.weight.length_ns)

    def _used(self, account: str, interval: Interval, now_ns: int) -> int:
        return self._orders.setdefault((account, interval), _Count()).at(now_ns, interval.length_ns)


def banned(until_ns: int, now_ns: int) -> ApiError:
    """The address is banned: 418."""
    until_ms = until_ns // _MILLISECOND_NS
    text = f"Way too much request weight used; IP banned until {until_ms}. {_ADVICE} bans."
    return _refused(-1003, text, BANNED, until_ns, now_ns)


def _refused(code: int, text: str, status: int, until_ns: int, now_ns: int) -> ApiError:
    data = {"serverTime": now_ns // _MILLISECOND_NS, "retryAfter": until_ns // _MILLISECOND_NS}
    after_s = max(1, -((now_ns - until_ns) // _SECOND_NS))
    return ApiError(code, text, status, data=data, headers={"Retry-After": str(after_s)})


def _end_ns(interval: Interval, now_ns: int) -> int:
    return now_ns - now_ns % interval.length_ns + interval.length_ns


def _described(kind: str, interval: Interval, count: int | None = None) -> Json:
    described: dict[str, Json] = {
        "rateLimitType": kind,
        "interval": interval.unit,
        "intervalNum": interval.number,
        "limit": interval.limit,
    }
    return described if count is None else {**described, "count": count}
