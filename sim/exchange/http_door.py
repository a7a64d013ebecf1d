"""Requests over HTTP to one venue."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Endpoint, Endpoints
from sim.exchange.latency import Latency
from sim.exchange.outbox import surviving
from sim.exchange.parameters import Parameters
from sim.exchange.service import Credentials, VenueService
from sim.faults.plan import Channel

if TYPE_CHECKING:
    from aiohttp import web

_KEY_HEADER: Final = "X-MBX-APIKEY"
_OK: Final = int(HTTPStatus.OK)
_LOOK_AGAIN_S: Final = 0.02


class HttpDoor:
    """Where a venue's requests over HTTP come in."""

    def __init__(self, service: VenueService, endpoints: Endpoints, latency: Latency) -> None:
        self._service = service
        self._endpoints = endpoints
        self._latency = latency

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request, late by the latency; or not at all where a fault says so."""
        from aiohttp import web

        service = self._service
        body = (await request.read()).decode(errors="replace")
        await self._latency.wait_for_request()
        fate = service.faults.fate(service.name, Channel.REQUEST, service.now_ns())
        await asyncio.sleep(fate.delay_ns / 1e9)
        await self._while_silent()
        if not fate.copies:
            return _broken_off(request)
        address = request.remote or ""
        endpoint = self._endpoints.routes.get((request.method, request.path))
        status, headers = _OK, {}
        content: Json
        try:
            if fate.server_error:
                raise answers.overloaded()
            content = self._answer(request, body, endpoint, address)
        except ApiError as refusal:
            content, status, headers = refusal.body, refusal.status, dict(refusal.headers)
        account = self._account(request)
        orders = endpoint is not None and endpoint.orders > 0
        server_ns = service.server_ns(service.now_ns())
        headers |= service.quota.headers(address, account, server_ns, orders=orders)
        written = msgspec.json.encode(content)
        fate = service.faults.fate(service.name, Channel.ANSWER, service.now_ns())
        await self._latency.wait_for_answer()
        await asyncio.sleep(fate.delay_ns / 1e9)
        await self._while_silent()
        if not fate.copies:
            return _broken_off(request)
        if fate.corrupted:
            written = written[: surviving(len(written))]
        return web.Response(body=written, status=status, headers=headers, content_type="application/json")

    def _answer(self, request: web.BaseRequest, body: str, endpoint: Endpoint | None, address: str) -> Json:
        if endpoint is None:
            raise answers.not_found()
        query = request.rel_url.raw_query_string
        parameters = Parameters.from_forms((query, body))
        credentials = Credentials(
            key=request.headers.get(_KEY_HEADER, ""),
            payload=_unsigned(query) + _unsigned(body),
            signature=parameters.optional("signature"),
        )
        return self._service.answer(endpoint, parameters, credentials, address)

    def _account(self, request: web.BaseRequest) -> str:
        try:
            return self._service.keys.find(request.headers.get(_KEY_HEADER, "")).account
        except ApiError:
            return ""

    async def _while_silent(self) -> None:
        """Say nothing while the venue's connections are half open."""
        service = self._service
        while service.faults.is_silent(service.name, service.now_ns()):
            await asyncio.sleep(_LOOK_AGAIN_S)


def _unsigned(form: str) -> str:
    """A form without its signature, as it was signed."""
    return "&".join(pair for pair in form.split("&") if not pair.startswith("signature="))


def _broken_off(request: web.BaseRequest) -> web.Response:
    """End the connection instead of an answer."""
    from aiohttp import web

    if request.transport is not None:
        request.transport.abort()
    return web.Response()
