"""`rag serve`: the page, from the socket to its end."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import threading
from typing import TYPE_CHECKING

from rag import config
from rag.cli.output import DONE, say

if TYPE_CHECKING:
    from rag.assistant import Assistant


def serve(options: argparse.Namespace) -> int:
    """Serves the page until Ctrl-C; the models load meanwhile."""
    settings = config.load({"host": options.host, "port": options.port})
    from rag import server

    sock = server.bind(settings)  # before anything heavy is imported: a taken port is known at once
    from rag import app
    from rag.assistant import Assistant

    assistant = Assistant(settings)
    threading.Thread(target=_prepare, args=(assistant,), daemon=True, name="rag-preparing").start()
    try:
        app.serve(assistant, settings, _announce, sock)
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            assistant.close()
    return DONE


def _prepare(assistant: Assistant) -> None:
    """Works ahead until the page ends; says what is slower or missing as soon as it is known, once."""
    told = [""]

    def tell() -> None:
        if (notice := assistant.notice()) not in told:
            told.append(notice)
            say(f"rag: {notice}")

    try:
        assistant.prepare(tell)
        tell()
    except Exception as exc:  # the library is closed under it when the page ends
        logging.getLogger(__package__).debug("preparing ended: %r", exc)


def _announce(url: str) -> None:
    print(f"Footnote is at {url}  (Ctrl-C ends it)", flush=True)
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
