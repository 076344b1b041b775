"""Who may ask the server, what its answers carry, and how it starts and stops."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import socket
import threading
import time

import httpx
import pytest
from starlette.datastructures import Headers

from rag import server
from rag.config import Settings
from rag.errors import ServerError

has_ipv6 = True
try:
    socket.create_server(("::1", 0), family=socket.AF_INET6).close()
except OSError:
    has_ipv6 = False
needs_ipv6 = pytest.mark.skipif(not has_ipv6, reason="this machine has no ::1")


@contextlib.contextmanager
def serving(host="127.0.0.1"):
    """Serves an application with one page in a thread; yields its address."""
    application = server.create_app()

    @application.get("/")
    @application.post("/")
    @application.get("/page")
    def page():
        return {"text": "hello"}

    sock = server.bind(Settings(host=host, port=0))
    ready: list[str] = []
    running = server.Server(application, sock, ready.append)
    thread = threading.Thread(target=running.serve_until_stopped)
    thread.start()
    try:
        while not ready:
            time.sleep(0.01)
        yield ready[0]
    finally:
        running.should_exit = True
        thread.join(10)
        sock.close()
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def address():
    with serving() as address:
        yield address


def test_a_page_of_this_machine_is_answered_with_the_security_headers(address):
    response = httpx.get(f"{address}/page")
    assert (response.status_code, response.json()) == (200, {"text": "hello"})
    for name, value in server.SECURITY_HEADERS.items():
        assert response.headers[name] == value
    assert "server" not in response.headers


def test_the_policy_lets_nothing_load_from_elsewhere():
    policy = dict(part.strip().split(" ", 1) for part in server.CONTENT_SECURITY_POLICY.split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    sources = {source for value in policy.values() for source in value.split()}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
    assert not {"data:", "blob:"} & set((policy["script-src"] + policy["connect-src"]).split())


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/nothing"])
def test_there_is_nothing_else_to_be_seen(address, path):
    response = httpx.get(address + path)
    assert response.status_code == 404
    assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7860", "127.0.0.2", ""])
def test_a_name_that_was_pointed_at_this_machine_is_refused(address, host):
    response = httpx.get(f"{address}/page", headers={"Host": host})
    assert response.status_code == 403
    assert "answers only to localhost" in response.text
    assert response.headers["Content-Security-Policy"] == server.CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", ""])
def test_a_page_of_another_site_is_refused(address, origin):
    origin = origin.format(port=address.rsplit(":", 1)[1])
    response = httpx.post(f"{address}/page", headers={"Origin": origin})
    assert (response.status_code, response.text) == (403, "Requests from other sites are refused.")


def test_the_pages_own_requests_are_let_through(address):
    port = address.rsplit(":", 1)[1]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        response = httpx.get(f"{address}/page", headers={"Host": host, "Origin": f"http://{host}"})
        assert response.status_code == 200, host


@pytest.mark.parametrize(
    "host", ["localhost\n", "localhost:123456", "localhost:", "user@localhost", "[::1", "localhost,evil"]
)
def test_a_host_header_is_compared_as_a_whole(host):
    assert server.refusal(Headers({"host": host})) != ""


def test_an_open_stream_does_not_keep_the_server_from_stopping():
    started = time.monotonic()
    with serving() as address, socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as stream:
        stream.sendall(b"GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert stream.recv(15) == b"HTTP/1.1 200 OK"
        started = time.monotonic()
    assert time.monotonic() - started < 2


# --- the cookie by which a browser is known

TOKEN = "abcDEF-_" * 5


def cookie(response):
    """Returns the token and the attributes of the cookie that a response sets."""
    (sent,) = response.headers.get_list("set-cookie")
    pair, *attributes = sent.split("; ")
    name, token = pair.split("=", 1)
    assert name == server.COOKIE == "footnote_reader"
    return token, attributes


def test_a_browser_is_given_a_token_of_its_own_that_no_script_reads(address):
    first, second = (cookie(httpx.get(f"{address}/")) for _ in range(2))
    assert first[0] != second[0]
    for token, attributes in (first, second):
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)  # 256 bits
        assert server.reader(token) == token
        assert set(attributes) == {"Path=/", f"Max-Age={400 * 24 * 3600}", "HttpOnly", "SameSite=Lax"}


@pytest.mark.parametrize("query", ["", "?c=abc"])
def test_a_browser_keeps_the_token_that_it_has(address, query):
    sent = {"Cookie": f"other=1; {server.COOKIE}={TOKEN}; more=2"}
    assert cookie(httpx.get(f"{address}/{query}", headers=sent))[0] == TOKEN


@pytest.mark.parametrize(
    "value", ["", "short", "a" * 31, "a" * 65, "a" * 40 + " x", "a" * 40 + "!", "ä" * 40, '"' + "a" * 40]
)
def test_what_is_no_token_of_ours_is_replaced(address, value):
    headers = {"Cookie": f"{server.COOKIE}={value}".encode("latin-1")}
    token, attributes = cookie(httpx.get(f"{address}/", headers=headers))
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert value not in (token, *attributes)


@pytest.mark.parametrize("path", ["/page", "/nothing", "/gradio_api/startup-events", "//"])
def test_other_addresses_give_no_token(address, path):
    assert "set-cookie" not in httpx.get(address + path).headers


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_whoever_is_refused_is_given_no_token(address, headers):
    # A form of another site that is sent here comes without the browser's cookie, as it is Lax. With the answer the
    # browser took a new one, and its conversations were gone.
    response = httpx.post(f"{address}/", headers=headers)
    assert response.status_code == 403
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("value", ["a" * 32, "a" * 64, TOKEN])
def test_a_token_is_taken_as_it_is(value):
    assert server.reader(value) == value


@pytest.mark.parametrize("value", ["", "a" * 31, "a" * 65, "a" * 40 + "\n", "a" * 40 + "é", "٣" * 40, "a/" * 20])
def test_what_cannot_be_a_token_is_nobodys(value):
    assert server.reader(value) == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com", "127.0.0.2", ""])
def test_an_address_that_others_could_reach_is_refused(host):
    with pytest.raises(ServerError, match=r"cannot be served on .*no login") as caught:
        server.bind(Settings(host=host, port=0))
    assert "ssh -L" in caught.value.hint


def test_a_port_in_use_is_said_with_what_to_do():
    with server.bind(Settings(port=0)) as taken:
        settings = Settings(port=taken.getsockname()[1])
        with pytest.raises(
            ServerError, match=rf"^Port {settings.port} on 127\.0\.0\.1 is in use\. Choose another with --port"
        ):
            server.bind(settings)
    server.bind(settings).close()  # free again


def test_a_port_that_may_not_be_opened_is_said_with_the_reason(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ServerError, match=r"^Port 80 on 127\.0\.0\.1 cannot be opened: Permission denied\."):
        server.bind(dataclasses.replace(Settings(), port=80))


def test_localhost_and_any_free_port():
    with server.bind(Settings(host="LocalHost", port=0)) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert server.url(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_the_loopback_address_of_ipv6(host):
    with serving(host) as address:
        assert address.startswith("http://[::1]:")
        assert httpx.get(f"{address}/page").json() == {"text": "hello"}
