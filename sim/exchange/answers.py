"""What a server answers when it refuses a request: HTTP status, Binance's code and text.

The venue refuses orders (``sim.exchange.venue.refusals``); the refusals here are made before a request reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec

from market.errors import Rejected

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

BAD_REQUEST = int(HTTPStatus.BAD_REQUEST)
BANNED = int(HTTPStatus.IM_A_TEAPOT)


class ApiError(Rejected):
    """A refused request.

    Parameters
    ----------
    code: Binance's, negative. status: of HTTP, and of the WebSocket API. data: beside the code, in the WebSocket API.
    headers: in HTTP.
    """

    def __init__(
        self,
        code: int,
        message: str,
        status: int = BAD_REQUEST,
        *,
        data: Mapping[str, int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.data = dict(data or {})
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Json]:
        """The answer's body over HTTP."""
        return {"code": self.code, "msg": self.message}


def missing(name: str) -> ApiError:
    """A parameter that must be there is not, is empty, or cannot be read."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def either(first: str, second: str) -> ApiError:
    """One of two parameters must be there."""
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def illegal_characters(name: str, legal: str) -> ApiError:
    """A parameter has characters that it may not have."""
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def not_required(name: str) -> ApiError:
    """A parameter was sent that the order type does not take."""
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def invalid(name: str) -> ApiError:
    """A parameter has a value outside what is allowed."""
    return ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")


def too_precise(name: str) -> ApiError:
    """A number has more digits after the point than the symbol takes."""
    return ApiError(-1111, f"Parameter '{name}' has too much precision.")


def not_found() -> ApiError:
    """No such path or method."""
    return ApiError(-1000, "Not found.", int(HTTPStatus.NOT_FOUND))


def gone(name: str) -> ApiError:
    """A call that the exchange has removed."""
    return ApiError(-1020, f"{name} has been removed. Use userDataStream.subscribe.signature.", int(HTTPStatus.GONE))


def unknown_method() -> ApiError:
    """No such method of the WebSocket API."""
    return ApiError(-1020, "This operation is not supported.")


def overloaded() -> ApiError:
    """The server is in trouble and does not say what became of the request."""
    return ApiError(
        -1007,
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
        int(HTTPStatus.SERVICE_UNAVAILABLE),
    )


def json_text(message: dict[str, Any]) -> str:
    """A message as JSON."""
    return msgspec.json.encode(message).decode()
