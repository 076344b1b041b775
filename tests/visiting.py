"""A page of Footnote without a browser: what the page's own script says to the server, over plain HTTP."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import httpx


class Visitor:
    """One open page. Loads nothing but the list of the page's events, so that many fit on a machine.

    Attributes:
        client: closing it is what a browser does that disappears.
    """

    def __init__(self, address: str, timeout: float = 60) -> None:
        self.client = httpx.Client(base_url=address, timeout=timeout)
        self._session = secrets.token_hex(8)
        config = self.client.get("/config").json()
        self._events = {event["api_name"]: event for event in config["dependencies"]}

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.close()

    def load(self) -> None:
        """Does what a browser does with the page itself: takes its cookie, and tells the server that it is there."""
        self.client.get("/").raise_for_status()
        self._run("load", None)

    def status(self) -> str:
        """Returns the status line's HTML: of class "waiting" until questions are answered at once."""
        return str(self._run("refresh", "", None)[0])

    def ask(self, question: str) -> Iterator[dict[str, Any]]:
        """Asks, and yields what the server tells of it (`msg`, `rank`, `output`), to the end of the answer."""
        self._run("ask", question, None)
        self._post("/gradio_api/queue/join", "answer", [None])
        with self.client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as response:
            for line in response.iter_lines():
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    yield message
                    if message["msg"] in ("process_completed", "close_stream"):
                        return

    @contextlib.contextmanager
    def staying(self) -> Iterator[None]:
        """Keeps the connection open by which the server knows that a page is still there."""
        path = f"/gradio_api/heartbeat/{self._session}"
        with httpx.Client(base_url=self.client.base_url) as own, own.stream("GET", path) as response:
            lines = response.iter_lines()  # kept, as the connection would end with it
            next(lines)
            yield

    def stop(self) -> None:
        """Presses Stop."""
        self._run("stop", None)

    def chat(self) -> list[str]:
        """Returns the texts of the chat, questions and answers by turns."""
        return [_text(message["content"]) for message in self._run("draw", None)[0]]

    def conversation(self) -> str:
        """Returns under which id the conversation is kept; "" before the first question."""
        return str(re.findall('data-conversation="(.*?)"', self._run("draw", None)[-1])[0])

    def _run(self, event: str, *data: Any) -> list[Any]:
        answered: list[Any] = self._post("/gradio_api/run/predict", event, data).json()["data"]
        return answered

    def _post(self, path: str, event: str, data: Sequence[Any]) -> httpx.Response:
        sent = {"fn_index": self._events[event]["id"], "data": list(data), "session_hash": self._session}
        return self.client.post(path, json=sent).raise_for_status()


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
