"""CCXT's client of Binance, pointed at addresses of our choice.

Every address is blocked first and only then those that are wanted are set, so that a client of a simulated exchange
cannot reach a real one by a call that nobody thought of.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from market.errors import MissingExtra

_BLOCKED: Final = "127.0.0.1:9/blocked"
"""The discard port of this machine: nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinanceAddresses:
    """Where a Binance-shaped exchange is; without a path and without a slash at the end, empty for what is not used.

    Parameters
    ----------
    spot_http, futures_http: such as ``http://127.0.0.1:8080``. spot_ws, futures_ws: such as ``ws://127.0.0.1:8080``.
    """

    spot_http: str = ""
    spot_ws: str = ""
    futures_http: str = ""
    futures_ws: str = ""


def binance_client(
    addresses: BinanceAddresses | None,
    *,
    api_key: str = "",
    secret: str = "",
    market_type: str = "spot",
    options: Mapping[str, Any] | None = None,
) -> Any:
    """A ``ccxt.pro`` client of the exchange at some addresses, that reaches nothing else.

    Parameters
    ----------
    addresses: None for Binance itself, at the addresses that CCXT knows.
    secret: of HMAC, or a private Ed25519 key in PEM.
    market_type: ``spot`` or ``swap``, what calls without a symbol mean.
    options: laid over CCXT's options.

    Its own rate limit is off, as it would delay every order by 50 ms and more. Opens no connection; the caller awaits
    ``close()``. Raises MissingExtra without CCXT.
    """
    client = _client_class()(
        {
            "apiKey": api_key,
            "secret": secret,
            "enableRateLimit": False,
            "options": {
                "defaultType": market_type,
                "fetchMarkets": {"types": _market_types(addresses)},
                "fetchCurrencies": False,
                "fetchMargins": False,
                "watchPositions": {"fetchPositionsSnapshot": False},
                **(options or {}),
            },
        }
    )
    if addresses is not None:
        _point(client.urls["api"], addresses)
    return client


def _market_types(addresses: BinanceAddresses | None) -> list[str]:
    if addresses is None:
        return ["spot", "linear"]
    return [kind for kind, at in (("spot", addresses.spot_http), ("linear", addresses.futures_http)) if at]


@functools.cache
def _client_class() -> type[Any]:
    """The client; errors of futures are told apart by path, as CCXT does by Binance's own host names."""
    try:
        import ccxt.pro
    except ModuleNotFoundError as error:
        raise MissingExtra("execution through CCXT needs ccxt: pip install 'tickwire[live]'") from error

    class HookedBinance(ccxt.pro.binance):  # type: ignore[misc]
        """CCXT's client with three changes.

        Members
        -------
        on_headers: told the headers of every HTTP answer.
        on_message: shown every message of a WebSocket first, with its connection; True keeps it from CCXT.
        """

        logger = logging.Logger("ccxt", logging.CRITICAL + 1)
        """CCXT writes keys and signatures of every request to its own; this one belongs to nobody and is silent."""

        on_headers: Callable[[Mapping[str, str]], None] | None = None
        on_message: Callable[[Any, Any], bool] | None = None

        def get_exceptions_by_url(self, url: str | None, exactOrBroad: str) -> Any:  # noqa: N803 - CCXT's own name
            kind = "linear" if "fapi/" in (url or "") else "spot"
            return self.safe_dict(self.safe_dict(self.exceptions, kind, {}), exactOrBroad, {})

        def handle_message(self, client: Any, message: Any) -> None:
            if self.on_message is None or not self.on_message(client, message):
                super().handle_message(client, message)

        def on_rest_response(
            self, code: int, reason: str, url: str, method: str, headers: Mapping[str, str], body: str, *requested: Any
        ) -> Any:
            if self.on_headers is not None:
                self.on_headers(headers)
            return super().on_rest_response(code, reason, url, method, headers, body, *requested)

        def handle_errors(self, code: int, reason: str, url: str, *rest: Any) -> Any:
            try:
                return super().handle_errors(code, reason, url, *rest)
            except ccxt.BaseError as error:
                raise _with_status(error, code) from error.__cause__

        def handle_http_status_code(self, code: int, reason: str, url: str, method: str, body: str) -> None:
            try:
                super().handle_http_status_code(code, reason, url, method, body)
            except ccxt.BaseError as error:
                raise _with_status(error, code) from error.__cause__

    return HookedBinance


def _with_status(error: Exception, status: int) -> Exception:
    """An error of CCXT's that also says the HTTP status, which CCXT only tells in the text of some."""
    error.http_status = status  # type: ignore[attr-defined]
    return error


def _point(urls: dict[str, Any], addresses: BinanceAddresses) -> None:
    _block(urls, "http")
    sockets = urls["ws"]
    if addresses.spot_http:
        urls.update(dict.fromkeys(("public", "private"), f"{addresses.spot_http}/api/v3"))
    if addresses.futures_http:
        at = addresses.futures_http
        urls.update(dict.fromkeys(("fapiPublic", "fapiPrivate"), f"{at}/fapi/v1"))
        urls.update(dict.fromkeys(("fapiPublicV2", "fapiPrivateV2"), f"{at}/fapi/v2"))
        urls.update(dict.fromkeys(("fapiPublicV3", "fapiPrivateV3"), f"{at}/fapi/v3"))
    if addresses.spot_ws:
        sockets["spot"] = f"{addresses.spot_ws}/stream/ws"
        sockets["ws-api"]["spot"] = f"{addresses.spot_ws}/ws-api/v3"
    if addresses.futures_ws:
        sockets["linear"] = f"{addresses.futures_ws}/fstream/ws"
        sockets["ws-api"]["linear"] = f"{addresses.futures_ws}/ws-fapi/v1"


def _block(urls: dict[str, Any], scheme: str) -> None:
    """Point every address at nobody, also in tables within the table."""
    for name, value in urls.items():
        if isinstance(value, dict):
            _block(value, "ws")
        else:
            urls[name] = f"{scheme}://{_BLOCKED}"
