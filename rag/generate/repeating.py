"""A draft that says the same again and again, as models now and then do until they are cut off: what was said is enough."""

from __future__ import annotations

from collections.abc import Iterator

from rag.prompt import is_looping
from rag.split import sentence_texts

_ENDS = (*".!?。！？…", '"', "”", "’", ")")


def without_repeats(pieces: Iterator[str]) -> Iterator[str]:
    """Yields the pieces of a draft up to the first sentence that it has already, or to a phrase that goes round and round.

    A sentence is held back only while it begins as one before it does.
    """
    said = held = ""
    for piece in pieces:
        held += piece
        earlier = _before(said, held) if said.rstrip().endswith(_ENDS) else ()
        first, *more = sentence_texts(held) or ("",)
        if more and first in earlier:
            return
        if not more and any(one.startswith(first) for one in earlier):
            continue
        yield held
        said, held = said + held, ""
        if is_looping(said):
            return
    if held and not any(one.startswith(held.strip()) for one in sentence_texts(said)):
        yield held


def _before(said: str, held: str) -> tuple[str, ...]:
    """Returns the sentences of what was said; none if the last of them goes on: "by Mr." and "Smith."."""
    earlier = sentence_texts(said)
    return earlier if sentence_texts(said + held)[: len(earlier)] == earlier else ()
