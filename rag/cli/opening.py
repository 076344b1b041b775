"""An assistant for one command: opened, given the seed articles, and closed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.config import Settings

if TYPE_CHECKING:
    from rag.assistant import Assistant


@contextlib.contextmanager
def opened(settings: Settings, *, seeds: bool = True) -> Iterator[Assistant]:
    """Opens an assistant and closes it in the end; with `seeds`, a new library gets the seed articles first."""
    from rag.assistant import Assistant

    with Assistant(settings) as assistant:
        if seeds:
            assistant.add_seeds()
        yield assistant
