"""The FastAPI application that the page is mounted into: its headers, its address, how it starts and stops.

Knows who may ask (this machine only) and what a page may load (only what comes from here); nothing of the page itself.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import re
import secrets
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.config import Settings
from rag.errors import ServerError

logger = logging.getLogger(__name__)

_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data: blob:",  # no image of another host: a picture in an article would tell it who reads
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",  # gr.HTML builds functions; what goes into it is escaped
    "style-src": "'self' 'unsafe-inline'",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'self'",
    "object-src": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{name} {sources}" for name, sources in _POLICY.items())

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), "
    "clipboard-read=(), clipboard-write=(self)",
}

COOKIE = "footnote_reader"
"""Tells one browser from another, so that each sees its own conversations: a random token, no name and no login."""

_READER = re.compile(r"[A-Za-z0-9_-]{32,64}")
_COOKIE_SECONDS = 400 * 24 * 3600  # as long as browsers keep one at most; every visit begins it anew

_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_GRACE_SECONDS = 2  # for open pages, whose event streams never end by themselves


class Guard:
    """ASGI middleware: refuses what does not come from a page of this machine, and adds the security headers.

    A name of another host that resolves to this machine (DNS rebinding) shows in the Host header; a page of another
    site that posts to this one shows in the Origin header.
    """

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                sent.update(SECURITY_HEADERS)
                if scope["path"] == "/" and not reason:
                    sent.append("Set-Cookie", _cookie(Headers(scope=scope)))
            await send(message)

        reason = refusal(Headers(scope=scope))
        if scope["type"] == "websocket" and reason:
            await send({"type": "websocket.close", "code": 1008})
        elif reason:
            await PlainTextResponse(reason, status_code=403)(scope, receive, send_with_headers)
        else:
            await self._application(scope, receive, send_with_headers)


def refusal(headers: Headers) -> str:
    """Returns why a request is refused, "" if it is not."""
    host = headers.get("host", "")
    if not _LOCAL_HOST.fullmatch(host):
        return "This page answers only to localhost, 127.0.0.1 and [::1]."
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host}".lower():
        return "Requests from other sites are refused."
    return ""


def reader(value: str) -> str:
    """Returns the token in a cookie's value; "" if it is none of ours."""
    return value if _READER.fullmatch(value) else ""


def _cookie(headers: Headers) -> str:
    """Returns the cookie that a browser is given: the one that it has, or a new one.

    Lax, not Strict: a browser that follows a link to this page from elsewhere would send none, and be given another one.
    """
    has = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    token = reader(has) or secrets.token_urlsafe(32)
    return f"{COOKIE}={token}; Path=/; Max-Age={_COOKIE_SECONDS}; HttpOnly; SameSite=Lax"


def create_app() -> FastAPI:
    """Returns the application with its headers and checks; the page is mounted into it."""
    application = FastAPI(title="Footnote", docs_url=None, redoc_url=None, openapi_url=None)
    application.add_middleware(Guard)
    return application


def bind(settings: Settings) -> socket.socket:
    """Opens the address of the settings, so that a taken port is known before anything is loaded.

    Returns:
        A listening socket; with port 0 it tells the port that was given.

    Raises:
        ServerError: the address is not of this machine only, or the port cannot be opened.
    """
    host, port = settings.host, settings.port
    family, address = _loopback(host)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart waits a minute for old connections
        sock.bind((address, port))
        sock.listen(128)
    except OSError as exc:
        sock.close()
        if exc.errno == errno.EADDRINUSE:
            hint = "Choose another with --port, or 0 for any free one."
            raise ServerError(f"Port {port} on {host} is in use.", hint) from exc
        hint = "Choose another with --port, for example 7860."
        raise ServerError(f"Port {port} on {host} cannot be opened: {exc.strerror}.", hint) from exc
    return sock


def url(sock: socket.socket) -> str:
    """Returns the address of a listening socket as a browser wants it."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn over our own socket; tells when it listens. Set `should_exit` to stop it from another thread."""

    def __init__(self, application: ASGIApp, sock: socket.socket, on_ready: Callable[[str], object] | None) -> None:
        config = uvicorn.Config(
            application,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        super().__init__(config)
        self._sock = sock
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self._on_ready and not self.should_exit:
            self._on_ready(url(self._sock))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            if (transport := getattr(connection, "transport", None)) is not None:
                transport.abort()  # an open page holds a stream that would otherwise be waited for
        await super().shutdown(sockets=sockets)

    def serve_until_stopped(self) -> None:
        """Blocks until Ctrl-C or `should_exit`."""
        try:
            self.run(sockets=[self._sock])
        except KeyboardInterrupt:
            logger.debug("stopped by the keyboard")


def run(application: ASGIApp, sock: socket.socket, on_ready: Callable[[str], object] | None = None) -> None:
    """Serves on the socket until Ctrl-C; `on_ready` is called with the address once it listens."""
    Server(application, sock, on_ready).serve_until_stopped()


def _loopback(host: str) -> tuple[socket.AddressFamily, str]:
    if host.lower() == "localhost":
        return socket.AF_INET, "127.0.0.1"
    name = host.strip("[]")
    if name in ("127.0.0.1", "::1"):
        return (socket.AF_INET6 if ipaddress.ip_address(name).version == 6 else socket.AF_INET), name
    raise ServerError(
        f"The page cannot be served on {host}: it has no login yet, so everyone who reaches it could read the articles.",
        "Use 127.0.0.1, and a tunnel such as ssh -L to reach it from another machine.",
    )
