"""The routes: requests in, answers out. What can be refused before a body is read is refused then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from opsbot.core.errors import OpsbotError
from opsbot.web import exposition
from opsbot.web.bearer import Bearer
from opsbot.web.exposition import Family
from opsbot.web.intake import BUSY, RETRY_AFTER, Intake, Reply
from opsbot.web.listener import PATIENCE

LOG = logging.getLogger("opsbot.web")
UNREAD = (413, 415)
"""Refusals after which the body is read all the same, and dropped: who still sends would miss the answer."""
DROPPED = 4
"""How much of it at most, as a multiple of `most_bytes`."""
IN_FLIGHT = 32_000_000
"""Bytes of bodies that may be under way at once, read or waiting."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is served. `ready` says why it is not; `figures` are read by a thread of `executor`, as they may wait."""

    intake: Intake
    bearer: Bearer
    ready: Callable[[], Iterable[str]]
    figures: Callable[[], Iterable[Family]]
    executor: Executor
    most_bytes: int


def app(parts: Parts) -> Starlette:
    """The application."""
    routes = _Routes(parts)
    served = Starlette(
        routes=[
            Route("/webhooks/{name}", routes.webhook, methods=["POST"]),
            Route("/webhooks/{name}/", routes.webhook, methods=["POST"]),
            Route("/healthz", routes.healthz),
            Route("/readyz", routes.readyz),
            Route("/metrics", routes.metrics),
        ],
        exception_handlers={HTTPException: _refusal, OpsbotError: _unable},
    )
    served.router.redirect_slashes = False  # senders of webhooks follow no redirect
    return served


async def _refusal(request: Request, error: Any) -> Response:  # noqa: ARG001
    """One form for all refusals. The connection is closed: the rest of a body that nobody read may still come."""
    headers = {**(error.headers or {}), "connection": "close"}
    return JSONResponse({"error": error.detail}, error.status_code, headers)


async def _unable(request: Request, error: Any) -> Response:  # noqa: ARG001
    """What cannot be told now, such as figures of a store that is busy."""
    LOG.warning("a question cannot be answered now: %s", error)
    return JSONResponse({"error": "this cannot be told now: try again"}, 503, {"Retry-After": str(RETRY_AFTER)})


class _Routes:
    """The endpoints, on their parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._in_flight = 0

    async def webhook(self, request: Request) -> Response:
        """Take alerts: 200 once they are durable, 4xx for what can never be taken, 503 for what can be later."""
        name = request.path_params["name"]
        try:
            self._admit(request)
            if name not in self._parts.intake.readers:
                raise HTTPException(
                    404, f"there is no webhook of this name; known: {', '.join(self._parts.intake.readers)}"
                )
            body = await self._body(request)
        except HTTPException as error:
            source = name if name in self._parts.intake.readers else "unknown"
            self._parts.intake.refused(source, error.status_code, error.detail, _sender(request))
            raise
        try:
            reply = await asyncio.wrap_future(self._parts.intake.put(name, body))
        finally:
            self._in_flight -= len(body)
        return _response(reply)

    async def healthz(self, request: Request) -> Response:  # noqa: ARG002
        """Whether the process does its work at all."""
        alive = self._parts.intake.alive
        return PlainTextResponse("ok\n" if alive else "the intake has ended\n", 200 if alive else 503)

    async def readyz(self, request: Request) -> Response:  # noqa: ARG002
        """Whether it can do its work now, or why not."""
        reasons = await self._aside(lambda: list(self._parts.ready()))
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    async def metrics(self, request: Request) -> Response:
        """All figures, as Prometheus reads them."""
        try:
            self._admit(request)
        except HTTPException as error:
            self._parts.intake.refusals.tell("/metrics", error.status_code, error.detail, _sender(request))
            raise
        said = await self._aside(lambda: exposition.text([*self._parts.figures(), *self._parts.intake.families()]))
        return Response(said, media_type=exposition.CONTENT_TYPE)

    async def _aside(self, function: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._parts.executor, function)

    def _admit(self, request: Request) -> None:
        given = request.headers.get("authorization", "")
        if not self._parts.bearer.admits(given):
            why = "this is not the bearer token that is needed" if given else "a bearer token is needed"
            raise HTTPException(401, why, {"WWW-Authenticate": "Bearer"})

    async def _body(self, request: Request) -> bytes:
        """The whole body, counted among those in flight from here on; what is refused is not."""
        until = asyncio.get_running_loop().time() + PATIENCE
        pieces = request.stream()
        try:
            _vet(request, self._parts.most_bytes)
            return await self._read(pieces, until)
        except HTTPException as error:
            if error.status_code in UNREAD and "expect" not in request.headers:
                await self._drop(pieces, until)
            raise

    async def _drop(self, pieces: AsyncIterator[bytes], until: float) -> None:
        """Read what is left of a body that was refused, within bounds; who waits to be asked for it is not asked."""
        left = DROPPED * self._parts.most_bytes
        with suppress(TimeoutError, ClientDisconnect):
            async with asyncio.timeout_at(until):
                async for piece in pieces:
                    left -= len(piece)
                    if left < 0:
                        return

    async def _read(self, pieces: AsyncIterator[bytes], until: float) -> bytes:
        taken = bytearray()
        try:
            async with asyncio.timeout_at(until):
                async for piece in pieces:
                    taken += piece
                    self._in_flight += len(piece)
                    _fits(len(taken), self._in_flight, self._parts.most_bytes)
            return bytes(taken)
        except BaseException as error:
            self._in_flight -= len(taken)
            taken.clear()  # the error keeps hold of it while the rest is dropped
            if isinstance(error, TimeoutError):
                raise HTTPException(408, f"the body did not come within {PATIENCE:.0f} seconds") from None
            if isinstance(error, ClientDisconnect):
                raise HTTPException(400, "the body ended early") from None
            raise


def _sender(request: Request) -> str:
    return request.client.host if request.client else ""


def _vet(request: Request, most: int) -> None:
    """What the head alone rules out."""
    kind, _, rest = request.headers.get("content-type", "").lower().partition(";")
    kind = kind.strip()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise HTTPException(415, "the content type must be application/json")
    if not _is_utf8(rest):
        raise HTTPException(415, "the charset must be utf-8")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise HTTPException(415, "a body that is compressed is not taken", {"Accept-Encoding": "identity"})
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > 15:
        raise HTTPException(400, "the content length is no number")
    _fits(int(length), 0, most)


def _is_utf8(parameters: str) -> bool:
    """Whether the parameters of a content type name no other charset."""
    pairs = (one.partition("=") for one in parameters.split(";"))
    return all(word.strip(' "') in ("utf-8", "utf8") for name, _, word in pairs if name.strip() == "charset")


def _fits(length: int, in_flight: int, most: int) -> None:
    if length > most:
        raise HTTPException(413, f"the body is longer than {most} bytes")
    if in_flight > IN_FLIGHT:
        raise HTTPException(BUSY.status, BUSY.body["error"], {"Retry-After": str(RETRY_AFTER)})


def _response(reply: Reply) -> Response:
    headers: Mapping[str, str] = {"Retry-After": str(RETRY_AFTER)} if reply.status == BUSY.status else {}
    return JSONResponse(dict(reply.body), reply.status, headers)
