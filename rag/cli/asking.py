"""`rag ask`, `search` and `verify`: answers and paragraphs are shown, and quotes held against the stored articles."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag import config
from rag.cli.filtering import chosen
from rag.cli.opening import opened
from rag.cli.output import DONE, EMPTY, FAILED, NOT_FOUND, printable, say
from rag.errors import ConfigError, DocumentMissing
from rag.types import Answer, Citation, Hit, as_dict


def ask(options: argparse.Namespace) -> int:
    """Prints the answer to one question; NOT_FOUND also if it is asked back."""
    settings, filter = config.load(), chosen(options)
    with opened(settings) as assistant:
        answer = assistant.ask(options.question, filter=filter)
        is_empty = not assistant.library.count()[0]
        readable = _readable(answer, lambda identity: assistant.document(identity).source)
    print(json.dumps(as_dict(answer), ensure_ascii=False) if options.json else readable)
    if is_empty:
        say(EMPTY)
    return DONE if answer.found else NOT_FOUND


def search(options: argparse.Namespace) -> int:
    """Prints the paragraphs for a question, best first; NOT_FOUND if there are none. No answer model is loaded."""
    settings, filter = dataclasses.replace(config.load(), answer_model="none"), chosen(options)
    with opened(settings, seeds=False) as assistant:
        hits = assistant.search(options.question, filter=filter)
        missed = "" if hits else assistant.library.missed(assistant.library.check(filter))
        is_empty = not assistant.library.count()[0]
    if options.json:
        print(json.dumps([dataclasses.asdict(hit) for hit in hits], ensure_ascii=False))
    else:
        width = min(_columns(), 100)
        print("\n\n".join(_shown(hit, width) for hit in hits) or "No paragraph was found.")
    if is_empty or missed:
        say(EMPTY if is_empty else printable(missed))
    return DONE if hits else NOT_FOUND


def _shown(hit: Hit, width: int) -> str:
    return "\n".join((printable(hit.title), _place(hit), _filled(f"“{hit.quote or hit.text}”", width, "    ")))


def _place(cited: Hit | Citation) -> str:
    return f"    {cited.place} of {printable(cited.source)}"


def _filled(text: str, width: int, indent: str = "") -> str:
    """Returns a text that may have titles in it, wrapped."""
    return textwrap.fill(printable(" ".join(text.split())), width, initial_indent=indent, subsequent_indent=indent)


def _readable(answer: Answer, sources: Callable[[str], str]) -> str:
    """Returns an answer with its citations as text; `sources` gives a document's path by its id."""
    width = min(_columns(), 100)
    lines = [_filled(answer.text, width)]
    for citation in answer.citations:
        lines += ["", f"[{citation.number}] {printable(citation.title)}", _place(citation)]
        lines += [_filled(f"“{citation.quote}”", width, "    ")]
        places = {(hit.document, hit.paragraph): hit.also for hit in answer.evidence}
        if also := places.get((citation.document, citation.paragraph)):
            lines.append(f"    also in {', '.join(printable(sources(identity)) for identity in also)}")
    if answer.status == "not_found" and answer.evidence:
        nearest = answer.evidence[0]
        lines += ["", f"Nearest: {nearest.place} of {printable(nearest.title)}"]
    if answer.notice:
        lines += ["", _filled(answer.notice, width)]
    return "\n".join(lines)


def _columns() -> int:
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stdout.fileno()).columns
    return 100


def verify(options: argparse.Namespace) -> int:
    """Prints for each quote of a saved answer whether it is exact; FAILED if one is not."""
    from rag.library import Library

    citations = _saved_citations(Path(options.file))
    library = Library(config.load().index)
    n_wrong = 0
    for number, document, version, start, end, quote in citations:
        try:
            held = library.document(document, version)
            right = held.text[start:end] == quote
            reason = printable(held.title) + ("" if right else f": the text there is {held.text[start:end]!r}")
        except DocumentMissing as exc:
            right, reason = False, exc.message
        n_wrong += not right
        print(f"[{number}] {'exact' if right else 'WRONG'}  {reason}")
    library.close()
    print(f"{len(citations) - n_wrong} of {len(citations)} quotes are exact.")
    return FAILED if n_wrong else DONE


_CITED = (("number", int), ("document", str), ("version", str), ("start", int), ("end", int), ("quote", str))


def _saved_citations(path: Path) -> list[tuple[Any, ...]]:
    hint = "Save one with: rag ask QUESTION --json > FILE"
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}.", hint) from exc
    except ValueError as exc:  # UnicodeDecodeError too, whose text would hold the whole file
        raise ConfigError(f"{path} is no saved answer: it is not JSON.", hint) from exc
    cited = answer.get("citations") if isinstance(answer, dict) else None
    if not isinstance(cited, list):
        raise ConfigError(f"{path} is no saved answer: it has no citations.", hint)
    for citation in cited:
        for name, kind in _CITED:
            value = citation.get(name) if isinstance(citation, dict) else citation
            if not isinstance(value, kind):
                raise ConfigError(f"{path} is no saved answer: {name} is {value!r}.", hint)
    return [tuple(citation[name] for name, _ in _CITED) for citation in cited]
