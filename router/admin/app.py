"""The admin API as an aiohttp application: what every request passes through on its way to its endpoint.

In this order: an exception becomes a `Problem`; a request that a browser carried from another site is refused (`Host`, `Origin`,
`Sec-Fetch-Site`); who is asking, and how often; the role; the query. Cookies are not used, so a browser has nothing to send by itself.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from router.admin.admin_settings import AdminSettings
from router.admin.api import Api, Ask, answer
from router.admin.auth import Buckets, Operator, Refused, Tokens, allowed
from router.admin.endpoints import ENDPOINTS, Endpoint
from router.admin.needs import Wiring
from router.admin.problems import Refusal, near
from router.admin.queries import taken
from router.admin.sockets import Streams

__all__ = ["BODY_AT_MOST", "Front", "application"]

BODY_AT_MOST: Final = 64 * 1024
PAGE: Final = Path(__file__).parent / "page"
_KINDS: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _CSP, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY",
    "Server": "fixrouter",
}  # fmt: skip
_BEARER: Final = "bearer."
_WRONG_PER_S, _WRONG_AT_ONCE = 0.2, 20
"""Wrong tokens of one address that are answered one by one; more are told to wait."""
_SECOND: Final = 1_000_000_000
_Handler = Callable[[Ask], Awaitable[web.StreamResponse]]


class Front:
    """What stands before the endpoints."""

    def __init__(self, settings: AdminSettings, tokens: Tokens, wiring: Wiring) -> None:
        self._settings = settings
        self._tokens = tokens
        self._wiring = wiring
        self._rates = Buckets(settings.requests_per_second, settings.burst)
        self._wrong = Buckets(_WRONG_PER_S, _WRONG_AT_ONCE)
        self.unauthorized = 0
        """How often there was no token, or a wrong one."""
        self.names: frozenset[str] = frozenset()
        """What a browser may call us, in small letters; empty: a Unix socket, which no browser reaches."""

    def check_site(self, request: web.Request) -> None:
        """Refuse what a browser carried here from elsewhere. Raises `Refusal`."""
        if self.names and request.headers.get("Host", "").lower() not in self.names:
            raise Refusal(403, "Host: this router is not known by that name (admin.hosts)")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() not in {f"{scheme}://{name}" for name in self.names for scheme in ("http", "https")}:
            raise Refusal(403, "Origin: requests of other sites are not taken")
        if request.path.startswith("/v1/") and request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Refusal(403, "Sec-Fetch-Site: requests of other sites are not taken")

    def identify(self, request: web.Request) -> Operator:
        """Who is asking. Raises `Refusal`: 401 for nobody we know, 429 for too much."""
        now = asyncio.get_running_loop().time()
        try:
            operator = self._tokens.read(_token(request), self._wiring.clock() // _SECOND)
        except Refused as why:
            self.unauthorized += 1
            address = request.remote or "socket"
            wait = self._wrong.take(address, now)
            if wait:
                raise Refusal(429, "too many wrong tokens from this address", retry_after_s=wait) from None
            self._wiring.note("operator refused", level="warning", address=address, why=str(why), path=request.path)
            raise Refusal(401, str(why)) from None
        wait = self._rates.take(f"{operator.name} {operator.role} {operator.expires}", now)
        if wait:
            raise Refusal(429, f"more than {self._settings.requests_per_second:g} requests a second of one token", retry_after_s=wait)
        return operator

    def admit(self, request: web.Request, endpoint: Endpoint) -> Operator | None:
        """Site, token and role; who is asking, where that is needed. Raises `Refusal`."""
        self.check_site(request)
        if endpoint.role is None and not (endpoint.name == "metrics" and self._settings.metrics_need_token):
            return None
        operator = self.identify(request)
        if endpoint.role is not None and not allowed(operator, endpoint.role):
            raise Refusal(403, f"this needs the role {endpoint.role}; {operator.name} has {operator.role}", needed=endpoint.role.value)
        return operator


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    offered = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    return next((each.removeprefix(_BEARER) for each in offered if each.startswith(_BEARER)), "")


def application(front: Front, api: Api, streams: Streams, wiring: Wiring) -> web.Application:
    """The application, with its routes and what every request passes through."""

    @web.middleware
    async def problems(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)
        except web.HTTPException as wrong:
            return _refused(_http(request, wrong))
        except ConnectionError:
            raise
        except Exception as wrong:  # noqa: BLE001 - the last line: the client gets an id, the log the rest
            number = secrets.token_hex(4)
            wiring.note("admin request failed", level="error", id=number, path=request.path, why=f"{type(wrong).__name__}: {wrong}")
            return _refused(Refusal(500, f"something went wrong here; the log has it as {number}"))

    app = web.Application(middlewares=[problems], client_max_size=BODY_AT_MOST)
    for endpoint in ENDPOINTS:
        handler = streams.serve if endpoint.name == "events" else getattr(api, endpoint.name)
        app.router.add_route(endpoint.method, endpoint.path, _behind(front, endpoint, handler))
    for path, body, kind in _page():
        app.router.add_route("GET", path, _static(front, body, kind))
    app.router.add_route("*", "/{rest:.*}", _nowhere(front))
    app.on_response_prepare.append(_secure)
    app.on_shutdown.append(streams.close)
    return app


def _behind(front: Front, endpoint: Endpoint, handler: _Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        who = front.admit(request, endpoint)
        return await handler(Ask(request, taken(endpoint, list(request.query.items())), who))

    return handle


def _static(front: Front, body: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        front.check_site(request)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Content-Security-Policy": _PAGE_CSP})

    return handle


def _nowhere(front: Front) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        front.check_site(request)
        methods = sorted({each.method for each in ENDPOINTS if _same(each.path, request.path)})
        if methods:
            raise Refusal(405, f"{request.method} is not for {request.path[:200]}: {', '.join(methods)}")
        raise Refusal(404, f"there is no {request.path[:200]}", candidates=near(request.path, [each.path for each in ENDPOINTS])[:5])

    return handle


def _same(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(part == each or part.startswith("{") for part, each in zip(parts, given, strict=True))


def _page() -> list[tuple[str, bytes, str]]:
    files = [each for each in sorted(PAGE.glob("*")) if each.suffix in _KINDS] if PAGE.is_dir() else []
    found = [(f"/{each.name}", each.read_bytes(), _KINDS[each.suffix]) for each in files]
    return found + [("/", body, kind) for path, body, kind in found if path == "/index.html"]


def _refused(refusal: Refusal) -> web.Response:
    response = answer(refusal.problem, refusal.status)
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after_s:
        response.headers["Retry-After"] = str(int(refusal.retry_after_s) + 1)
    if refusal.status in (408, 413):
        response.force_close()
    return response


def _http(request: web.Request, wrong: web.HTTPException) -> Refusal:
    if isinstance(wrong, web.HTTPRequestEntityTooLarge):
        return Refusal(413, f"the body is larger than {BODY_AT_MOST} bytes")
    return Refusal(wrong.status, f"{request.method} {request.path[:200]}: {wrong.reason}")


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        if name not in response.headers or name == "Server":
            response.headers[name] = value
