"""One connection to the WebSocket API: requests, sessions that have logged on, and user data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json, json_text
from sim.exchange.calls import Call, Endpoint, Security
from sim.exchange.connection import Connection
from sim.exchange.keys import ApiKey, KeyKind
from sim.exchange.latency import Latency
from sim.exchange.numbers import ms
from sim.exchange.parameters import Parameters, plain
from sim.exchange.service import Credentials, VenueService
from sim.exchange.user_data import Listener, Told, UserData
from sim.faults.plan import Channel

_OK: Final = 200
_STEP_S: Final = 1e-9


class ApiSession:
    """See the module.

    Parameters
    ----------
    methods: what can be asked beside the session's own methods.
    subscribes: whether user data is subscribed to here, as on spot.
    shows_limits: whether answers say how much of the limits is used, unless a request says otherwise.
    """

    def __init__(
        self,
        service: VenueService,
        connection: Connection,
        methods: Mapping[str, Endpoint],
        user_data: UserData,
        latency: Latency,
        *,
        subscribes: bool,
        shows_limits: bool,
    ) -> None:
        self._service = service
        self._connection = connection
        self._user_data = user_data
        self._latency = latency
        self._shows_limits = shows_limits
        self._methods = {**methods, **self._own_methods(subscribes)}
        self._logged_on: ApiKey | None = None
        self._since_ns = 0
        self._connected_ns = service.now_ns()
        self._subscriptions: dict[int, tuple[str, Listener]] = {}
        self._next_subscription = 0
        self._loop = asyncio.get_running_loop()
        self._latest_s = 0.0

    def leave_all(self) -> None:
        """End all subscriptions."""
        for number in tuple(self._subscriptions):
            self._unsubscribe(number)

    async def take(self, content: str) -> None:
        """A request of the client, carried out when it has arrived."""
        service = self._service
        fate = service.faults.fate(service.name, Channel.REQUEST, service.now_ns())
        if not fate.copies:
            return
        now_s = self._loop.time()
        travel_s = (self._latency.request_ns + fate.delay_ns) / 1e9
        if not travel_s and self._latest_s <= now_s:
            self._handle(content, broken=fate.server_error)
            return
        self._latest_s = max(now_s + travel_s, self._latest_s + _STEP_S)
        self._loop.call_at(self._latest_s, lambda: self._handle(content, broken=fate.server_error))

    def _handle(self, content: str, *, broken: bool) -> None:
        self._connection.put(json_text(self._answer(content, broken=broken)), Channel.ANSWER)

    def _answer(self, content: str, *, broken: bool) -> dict[str, Json]:
        number: Json = None
        endpoint: Endpoint | None = None
        values: dict[str, Any] = {}
        answer: dict[str, Json]
        try:
            request = _request(content)
            number, values = request.get("id"), _values(request)
            if broken:
                raise answers.overloaded()
            endpoint = self._endpoint(request)
            answer = {"id": number, "status": _OK, "result": self._carry_out(endpoint, values)}
        except ApiError as refusal:
            error: dict[str, Json] = {"code": refusal.code, "msg": refusal.message}
            if refusal.data:
                error["data"] = dict(refusal.data)
            answer = {"id": number, "status": refusal.status, "error": error}
        if values.get("returnRateLimits", self._shows_limits):
            answer["rateLimits"] = self._limits(values, endpoint)
        return answer

    def _endpoint(self, request: Mapping[str, Any]) -> Endpoint:
        name = request.get("method")
        if not isinstance(name, str):
            raise answers.missing("method")
        endpoint = self._methods.get(name) or self._methods.get(name.partition("/")[2])
        if endpoint is None:
            raise answers.unknown_method()
        return endpoint

    def _carry_out(self, endpoint: Endpoint, values: Mapping[str, Any]) -> Json:
        parameters = Parameters({name: plain(value, name) for name, value in values.items()})
        signed = sorted((name, value) for name, value in parameters.values.items() if name != "signature")
        credentials = Credentials(
            key=parameters.optional("apiKey"),
            payload="&".join(f"{name}={value}" for name, value in signed),
            signature=parameters.optional("signature"),
            session=self._logged_on,
        )
        return self._service.answer(endpoint, parameters, credentials, self._connection.address)

    def _limits(self, values: Mapping[str, Any], endpoint: Endpoint | None) -> list[Json]:
        service = self._service
        key, account = str(values.get("apiKey", "")), self._logged_on.account if self._logged_on else ""
        if key:
            try:
                account = service.keys.find(key).account
            except ApiError:
                account = ""
        orders = endpoint is not None and endpoint.orders > 0
        server_ns = service.server_ns(service.now_ns())
        return service.quota.listed(self._connection.address, account, server_ns, orders=orders)

    def _own_methods(self, subscribes: bool) -> dict[str, Endpoint]:
        signed = Security.SIGNED
        methods = {
            "session.logon": Endpoint(run=self._log_on, security=signed, weight=2),
            "session.status": Endpoint(run=self._status, weight=2),
            "session.logout": Endpoint(run=self._log_out, weight=2),
        }
        if subscribes:
            methods |= {
                "userDataStream.subscribe": Endpoint(run=self._subscribe_session, weight=2),
                "userDataStream.subscribe.signature": Endpoint(run=self._subscribe, security=signed, weight=2),
                "userDataStream.unsubscribe": Endpoint(run=self._end_subscription, weight=2),
                "session.subscriptions": Endpoint(run=self._listed, weight=2),
            }
        return methods

    def _log_on(self, call: Call) -> Json:
        if call.key is None or call.key.kind is not KeyKind.ED25519:
            raise ApiError(-4056, "HMAC_SHA256 API key is not supported.")
        self._logged_on, self._since_ns = call.key, call.server_ns
        return self._status(call)

    def _log_out(self, call: Call) -> Json:
        self._logged_on = None
        return self._status(call)

    def _status(self, call: Call) -> Json:
        key = self._logged_on
        return {
            "apiKey": key.key if key else None,
            "authorizedSince": ms(self._since_ns) if key else None,
            "connectedSince": ms(self._connected_ns),
            "returnRateLimits": self._shows_limits,
            "serverTime": ms(call.server_ns),
            "userDataStream": bool(self._subscriptions),
        }

    def _subscribe_session(self, call: Call) -> Json:
        if self._logged_on is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return self._subscribed(self._logged_on.account)

    def _subscribe(self, call: Call) -> Json:
        return self._subscribed(call.account)

    def _subscribed(self, account: str) -> Json:
        number, self._next_subscription = self._next_subscription, self._next_subscription + 1
        listener = self._listener(number)
        self._subscriptions[number] = (account, listener)
        self._user_data.listen(account, listener)
        return {"subscriptionId": number}

    def _end_subscription(self, call: Call) -> Json:
        wanted = call.parameters
        numbers = [wanted.whole("subscriptionId")] if wanted.has("subscriptionId") else list(self._subscriptions)
        for number in numbers:
            if number not in self._subscriptions:
                raise answers.invalid("subscriptionId")
            self._unsubscribe(number)
            ended: Json = {"e": "eventStreamTerminated", "E": ms(call.server_ns)}
            self._connection.put(json_text({"subscriptionId": number, "event": ended}), Channel.USER)
        return {}

    def _listed(self, call: Call) -> Json:
        return [{"subscriptionId": number} for number in self._subscriptions]

    def _listener(self, number: int) -> Callable[[Told], None]:
        def listener(told: Told) -> None:
            message = json_text({"subscriptionId": number, "event": told.message})
            self._connection.put(message, Channel.USER, is_fill=told.is_fill)

        return listener

    def _unsubscribe(self, number: int) -> None:
        self._user_data.leave(*self._subscriptions.pop(number))


def _request(content: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ApiError(-1135, f"Invalid JSON Request: {error}") from error


def _values(request: Mapping[str, Any]) -> dict[str, Any]:
    values = request.get("params", {})
    if not isinstance(values, dict):
        raise ApiError(-1135, "Invalid JSON Request: params must be an object")
    return values
