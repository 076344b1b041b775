"""Sentences and hits to claims with citations by exact offsets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.attribute.checking import check
from rag.attribute.facts import everything, facts
from rag.attribute.words import has
from rag.split import sentences
from rag.types import Citation, Claim, Hit

_MAX_SPAN = 3  # sentences quoted for one claim; a claim drawn from more quotes the whole paragraph


@dataclass(frozen=True, slots=True)
class Span:
    """A candidate for a citation: characters [start, end) of `hit.text`."""

    hit: Hit
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.hit.text[self.start : self.end]


_MAX_RUNS = 24  # runs of sentences that are checked, of each length


def candidates(claim: str, question: str, hits: Sequence[Hit], contexts: Mapping[str, str]) -> tuple[Span, ...]:
    """Returns for each hit that carries the claim the shortest span of its sentences that does; in the hits' order.

    Args:
        contexts: by document id: title, date and whole text.
    """
    spans = []
    for hit in hits:
        context = contexts.get(hit.document, "")
        if not check(claim, question, hit.text, context):
            spans.append(_shortest(claim, question, hit, context))
    return tuple(spans)


def _shortest(claim: str, question: str, hit: Hit, context: str) -> Span:
    parts = sentences(hit.text) or ((0, len(hit.text)),)
    wanted = facts(f"{question} {claim}").words

    def n_shared(run: tuple[int, int]) -> int:
        there = everything(hit.text[slice(*run)]).words
        return sum(has(there, word) for word in wanted)

    for length in range(1, min(_MAX_SPAN, len(parts)) + 1):
        runs = [(parts[n][0], parts[n + length - 1][1]) for n in range(len(parts) - length + 1)]
        if len(runs) > _MAX_RUNS:  # of a paragraph without an end only the likeliest ones
            runs = sorted(sorted(runs, key=n_shared, reverse=True)[:_MAX_RUNS])
        if carrying := [(s, e) for s, e in runs if not check(claim, question, hit.text[s:e], context)]:
            return Span(hit, *max(carrying, key=n_shared))
    return Span(hit, parts[0][0], parts[-1][1])


def cite(text: str, span: Span, number: int) -> Claim:
    """Returns a claim with one citation, its quote copied from the hit's text by offsets."""
    hit = span.hit
    citation = Citation(
        number=number,
        document=hit.document,
        version=hit.version,
        title=hit.title,
        source=hit.source,
        paragraph=hit.paragraph,
        start=hit.start + span.start,
        end=hit.start + span.end,
        quote=span.text,
        page=hit.page,
        box=hit.box,
    )
    return Claim(text, (citation,))


def numbered(claims: Iterable[Claim]) -> tuple[list[Claim], list[Citation]]:
    """Returns claims with their citations numbered in the order in which they stand, equal ones alike; and the citations."""
    claims = list(claims)
    order: dict[Citation, Citation] = {}
    for citation in (citation for claim in claims for citation in claim.citations):
        order.setdefault(replace(citation, number=0), replace(citation, number=len(order) + 1))
    renewed = [replace(c, citations=tuple(order[replace(x, number=0)] for x in c.citations)) for c in claims]
    return renewed, list(order.values())


def marked(claims: Iterable[Claim]) -> str:
    """Returns the text of an answer: its sentences, each with the marks of its citations."""
    return " ".join(" ".join((c.text, *(f"[{citation.number}]" for citation in c.citations))) for c in claims)
